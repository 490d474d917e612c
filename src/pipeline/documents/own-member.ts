import type { JsonObject, JsonValue } from '../../config/types.js';

/**
 * Sets a member whose name came from outside. Plain assignment to "__proto__" would change the object's
 * prototype instead of adding a member.
 */
export function setOwn<T>(target: Record<string, T>, key: string, value: T): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    target[key] = value;
  }
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
