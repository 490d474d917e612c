import type { JsonObject, JsonValue } from '../../config/types.js';
import { setOwn } from './own-member.js';

/**
 * Applies an RFC 7396 merge patch: members that are null are removed, objects merge, everything else
 * replaces. Neither argument changes; untouched parts of the target are shared with the result.
 */
export function mergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isObject(patch)) return patch;
  const result: JsonObject = {};
  if (isObject(target)) for (const key of Object.keys(target)) setOwn(result, key, member(target, key)!);
  for (const key of Object.keys(patch)) {
    const value = member(patch, key)!;
    if (value === null) delete result[key];
    else setOwn(result, key, mergePatch(member(result, key), value));
  }
  return result;
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An own member; never something inherited. */
function member(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
