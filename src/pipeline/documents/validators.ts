import type { JsonObject } from '../../config/types.js';
import type { HeaderMap } from '../../plugins/plugin.js';
import { isObject } from './own-member.js';

/** Fields that are computed from the bytes of a message. */
const DIGESTS = ['content-digest', 'repr-digest', 'digest', 'content-md5'] as const;
/** Fields of a response that clients and caches rely on to tell one version of a body from another. */
const VALIDATORS = [...DIGESTS, 'etag', 'last-modified', 'accept-ranges', 'content-range'] as const;

/**
 * Removes, in place, what the headers of a request say about the bytes of a body that a plugin replaced.
 * @param before the headers before the patch
 * @param change the plugin's patch; what it sets itself stays
 */
export function dropDigests(headers: HeaderMap, before: Readonly<HeaderMap>, change: JsonObject): void {
  drop(DIGESTS, headers, before, change);
}

/** The same for a response: its validators and ranges too. @returns the status that fits the headers */
export function dropValidators(
  status: number,
  headers: HeaderMap,
  before: Readonly<HeaderMap>,
  change: JsonObject,
): number {
  // With 416 the range is of the resource, not of the body.
  const range = status === 416 ? headers['content-range'] : undefined;
  const partial = status === 206 && headers['content-range'] !== undefined;
  drop(VALIDATORS, headers, before, change);
  if (range !== undefined) headers['content-range'] = range;
  // The plugin's body stands for the whole resource, unless the plugin says which range it is.
  return partial && headers['content-range'] === undefined ? 200 : status;
}

function drop(
  names: readonly string[],
  headers: HeaderMap,
  before: Readonly<HeaderMap>,
  change: JsonObject,
): void {
  const set = isObject(change.headers) ? change.headers : {};
  for (const name of names) {
    // A plugin that returns the whole document repeats the old value, which is not of its new body.
    if (!Object.hasOwn(set, name) || headers[name] === before[name]) delete headers[name];
  }
}

/** Whether a patch gave a body other bytes than it had. */
export function isRewritten(before: Buffer | string | null, after: Buffer | null): boolean {
  const old = typeof before === 'string' ? Buffer.from(before) : before;
  return !(old ?? EMPTY).equals(after ?? EMPTY);
}

const EMPTY = Buffer.alloc(0);
