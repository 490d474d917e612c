import type { Mark } from './mark.js';
import { below, type Pointer, segments } from './pointer.js';
import { Source } from './source.js';
import type { JsonObject, JsonValue } from '../types.js';
import { keysToKeep, orderedKeys } from './written.js';

/**
 * Merges an overlay into a base. Mappings are merged key by key, a null removes a key, and any other value
 * replaces. Neither source is changed, and the result shares no value with them.
 */
export function merge(base: Source, overlay: Source): Source {
  const marks = new Map<Pointer, Mark>();
  const keepMark = (source: Source, pointer: Pointer): void => {
    const mark = source.marks.get(pointer);
    if (mark !== undefined) marks.set(pointer, mark);
  };

  const take = (source: Source, pointer: Pointer, value: JsonValue): JsonValue => {
    keepMark(source, pointer);
    if (Array.isArray(value)) return value.map((item, i) => take(source, below(pointer, i), item));
    if (!isMapping(value)) return value;
    const kept = Object.entries(value).filter(
      ([key, part]) => source === base || !removes(overlay, below(pointer, key), part),
    );
    return Object.fromEntries(kept.map(([key, part]) => [key, take(source, below(pointer, key), part)]));
  };

  const both = (pointer: Pointer, under: JsonValue, over: JsonValue): JsonValue => {
    if (!isMapping(under) || !isMapping(over)) return take(overlay, pointer, over);
    keepMark(base, pointer);
    const displaced = displacedKeys(pointer, under, over);
    // The base's keys keep their order. New keys of the overlay follow.
    const entries: [string, JsonValue][] = [];
    for (const key of orderedKeys(under, base.marks.get(pointer)?.keys)) {
      const at = below(pointer, key);
      const value = under[key] ?? null;
      if (!Object.hasOwn(over, key)) {
        if (!displaced.includes(key)) entries.push([key, take(base, at, value)]);
      } else if (!removes(overlay, at, over[key] ?? null)) {
        entries.push([key, both(at, value, over[key] ?? null)]);
      }
    }
    for (const key of orderedKeys(over, overlay.marks.get(pointer)?.keys)) {
      const at = below(pointer, key);
      const value = over[key] ?? null;
      if (Object.hasOwn(under, key) || removes(overlay, at, value)) continue;
      entries.push([key, take(overlay, at, value)]);
    }
    const keys = keysToKeep(entries.map(([key]) => key));
    const mark = marks.get(pointer);
    if (mark !== undefined && keys !== undefined) marks.set(pointer, { ...mark, keys });
    return Object.fromEntries(entries);
  };

  return new Source(both('', base.value, overlay.value), marks);
}

/** True for a null that is written in the file, not for a variable without a value. */
function removes(overlay: Source, pointer: Pointer, value: JsonValue): boolean {
  return value === null && !overlay.isUnresolved(pointer);
}

/** The keys that say what answers an endpoint. Setting one replaces another. */
const TARGETS: readonly string[] = ['plugin', 'response', 'proxy'];
/** The keys that say where a proxy endpoint sends requests. Setting one replaces another. */
const PROXY_TARGETS: readonly string[] = ['target', 'targets'];

/** Keys of the base to drop because the overlay changes the kind or targets of an endpoint, or the kind of a plugin. */
function displacedKeys(pointer: Pointer, under: JsonObject, over: JsonObject): readonly string[] {
  const [block, name, ...deeper] = segments(pointer);
  if (name === undefined) return [];
  const setsOne = (keys: readonly string[]): boolean => keys.some((key) => (over[key] ?? null) !== null);
  if (block === 'endpoints' && deeper.join() === 'proxy') return setsOne(PROXY_TARGETS) ? PROXY_TARGETS : [];
  if (deeper.length > 0) return [];
  if (block === 'endpoints') return setsOne(TARGETS) ? TARGETS : [];
  if (block !== 'plugins' || (over['type'] ?? null) === null) return [];
  const type = under['type'] ?? ('path' in under ? 'external' : undefined);
  return over['type'] === type ? [] : ['path', 'version'];
}

export function isMapping(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
