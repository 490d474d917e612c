import { listsTag } from './entity-tag.js';
import { parseHttpDate } from './http-date.js';

/** By what clients and caches tell versions of an answer apart. */
export interface Validators {
  /** Null when the answer has none. */
  readonly etag: string | null;
  /** Milliseconds since the epoch, whole seconds; null when unknown. */
  readonly lastModifiedMs: number | null;
}

/** The value of a request header, its lines joined; undefined when there is none. */
export type HeaderReader = (name: string) => string | undefined;

/** send: the conditions allow the answer; unchanged: 304; failed: 412. */
export type ConditionResult = 'send' | 'unchanged' | 'failed';

/** Evaluates the conditions of a request in the order of RFC 9110 section 13.2.2, apart from If-Range. */
export function evaluateConditions(
  method: string,
  header: HeaderReader,
  { etag, lastModifiedMs }: Validators,
): ConditionResult {
  const reads = method === 'GET' || method === 'HEAD';
  const ifMatch = header('if-match');
  if (ifMatch !== undefined) {
    if (!listsTag(ifMatch, etag, 'strong')) return 'failed';
  } else if (isLater(lastModifiedMs, header('if-unmodified-since'))) return 'failed';
  const ifNoneMatch = header('if-none-match');
  if (ifNoneMatch !== undefined) {
    if (!listsTag(ifNoneMatch, etag, 'weak')) return 'send';
    return reads ? 'unchanged' : 'failed';
  }
  if (!reads || lastModifiedMs === null) return 'send';
  const since = dateOf(header('if-modified-since'));
  return since !== null && lastModifiedMs <= since ? 'unchanged' : 'send';
}

/** Whether If-Range allows a part of the answer. Without the header it does. */
export function allowsRange(header: HeaderReader, { etag, lastModifiedMs }: Validators): boolean {
  const condition = header('if-range');
  if (condition === undefined) return true;
  if (condition.startsWith('"')) return listsTag(condition, etag, 'strong');
  const date = parseHttpDate(condition);
  return date !== null && date === lastModifiedMs;
}

/** A condition that has no valid date, or an answer without one, is as if it were not there. */
function isLater(lastModifiedMs: number | null, condition: string | undefined): boolean {
  const limit = dateOf(condition);
  return lastModifiedMs !== null && limit !== null && lastModifiedMs > limit;
}

function dateOf(text: string | undefined): number | null {
  return text === undefined ? null : parseHttpDate(text);
}
