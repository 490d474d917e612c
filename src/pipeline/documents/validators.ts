import type { JsonObject } from '../../config/types.js';
import type { HeaderMap } from '../../plugins/plugin.js';
import { isObject } from './own-member.js';

/** Header fields that are computed from the bytes of a message. */
const DIGESTS = ['content-digest', 'repr-digest', 'digest', 'content-md5'] as const;
/** Header fields by which clients and caches tell versions of a body apart. */
const VALIDATORS = [...DIGESTS, 'etag', 'last-modified', 'accept-ranges', 'content-range'] as const;

/**
 * Removes, in place, request headers that describe the bytes of a body which a plugin replaced.
 * @param before the headers before the patch
 * @param change the plugin's patch; headers that it sets itself stay
 */
export function dropDigests(headers: HeaderMap, before: Readonly<HeaderMap>, change: JsonObject): void {
  drop(DIGESTS, headers, before, change);
}

/** The same for a response, including validators and ranges. @returns the status that fits the headers */
export function dropValidators(
  status: number,
  headers: HeaderMap,
  before: Readonly<HeaderMap>,
  change: JsonObject,
): number {
  // With 416, content-range describes the resource, not the body.
  const range = status === 416 ? headers['content-range'] : undefined;
  const partial = status === 206 && headers['content-range'] !== undefined;
  drop(VALIDATORS, headers, before, change);
  if (range !== undefined) headers['content-range'] = range;
  // The plugin's body is the whole resource, unless the plugin states a range.
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
    // A plugin that returns the whole document repeats the old value, which does not match the new body.
    if (!Object.hasOwn(set, name) || headers[name] === before[name]) delete headers[name];
  }
}

/** Whether a patch changed the bytes of a body. */
export function isRewritten(before: Buffer | string | null, after: Buffer | null): boolean {
  const old = typeof before === 'string' ? Buffer.from(before) : before;
  return !(old ?? EMPTY).equals(after ?? EMPTY);
}

const EMPTY = Buffer.alloc(0);
