import { isDeepStrictEqual } from 'node:util';
import { isMapping } from '../source/merge.js';
import { below, displayPath, type Pointer, segments } from '../source/pointer.js';
import { schemaFacts } from '../schema/schema-facts.js';
import { shownValue } from './shown.js';
import type { Source } from '../source/source.js';
import type { JsonValue, Written } from '../types.js';
import { AS_IT_IS, exactJson, writtenAt } from '../source/written.js';
import { parseDuration, parsePercentage, parseSize } from '../source/units.js';

/** One difference between two configurations, with secrets hidden. */
export interface Difference {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed' | 'reordered';
  /** null when there is no value. */
  readonly from: JsonValue;
  readonly to: JsonValue;
  /** The values are not shown: they are a secret or come from a variable. */
  readonly hidden: boolean;
}

/** Mappings whose order matters: plugins of equal priority run in the order of the file. */
const ORDERED = ['/plugins'];

/** Differences between two checked configurations by meaning: 1s equals 1000 milliseconds. */
export function differences(a: Source, b: Source): Difference[] {
  const found: Difference[] = [];
  const add = (pointer: Pointer, change: Difference['change'], from: JsonValue, to: JsonValue): void => {
    const hidden = change === 'changed' && JSON.stringify(from) === JSON.stringify(to);
    found.push({ path: displayPath(pointer), change, from, to, hidden });
  };
  const compare = (pointer: Pointer, from: JsonValue, to: JsonValue): void => {
    if (!isMapping(from) || !isMapping(to)) {
      const [before, after] = [writtenNumbers(a, pointer), writtenNumbers(b, pointer)];
      if (meaning(pointer, from) === meaning(pointer, to) && isDeepStrictEqual(before, after)) return;
      add(pointer, 'changed', shownExactly(a, pointer, from), shownExactly(b, pointer, to));
      return;
    }
    for (const [key, value] of Object.entries(from)) {
      const at = below(pointer, key);
      if (at === '/environments') continue;
      if (Object.hasOwn(to, key)) compare(at, value, to[key] ?? null);
      else add(at, 'removed', given(a, at, value), null);
    }
    for (const [key, value] of Object.entries(to)) {
      const at = below(pointer, key);
      if (!Object.hasOwn(from, key) && at !== '/environments') add(at, 'added', null, given(b, at, value));
    }
    if (!ORDERED.includes(pointer)) return;
    const shared = (one: object, other: object): string[] =>
      Object.keys(one).filter((key) => key !== 'auto_discover' && Object.hasOwn(other, key));
    const [before, after] = [shared(from, to), shared(to, from)];
    if (before.join('\n') !== after.join('\n')) add(pointer, 'reordered', before, after);
  };
  compare('', a.value, b.value);
  return found;
}

/** Numbers that JavaScript would change, in the blocks that are passed on to a plugin or a client. */
function writtenNumbers(source: Source, pointer: Pointer): Written {
  const [block, , ...path] = segments(pointer);
  const isPassedThrough =
    (block === 'plugins' && path[0] === 'config') ||
    (block === 'endpoints' && path[0] === 'response' && path[1] === 'body');
  return isPassedThrough ? { ...AS_IT_IS, numbers: writtenAt(source.marks, pointer).numbers } : AS_IT_IS;
}

/** A value for display. It is JSON text if JavaScript would lose digits of its numbers. */
function shownExactly(source: Source, pointer: Pointer, value: JsonValue): JsonValue {
  const shown = shownValue(source, pointer, value);
  const written = writtenNumbers(source, pointer);
  return Object.keys(written.numbers).length === 0 ? shown : exactJson(shown, written);
}

/** An entry that only one side has, without its defaults. */
function given(source: Source, pointer: Pointer, value: JsonValue): JsonValue {
  if (!isMapping(value)) return shownValue(source, pointer, value);
  const kept = Object.entries(value).filter(([key]) => source.isGiven(below(pointer, key)));
  return Object.fromEntries(kept.map(([key, part]) => [key, given(source, below(pointer, key), part)]));
}

const AMOUNTS: Readonly<Record<string, (value: string | number) => number>> = {
  duration: parseDuration,
  positiveDuration: parseDuration,
  size: parseSize,
  positiveSize: parseSize,
  percentage: parsePercentage,
};

/** Equal strings for two values that mean the same at this pointer. */
function meaning(pointer: Pointer, value: JsonValue): string {
  const { definition = '', uniqueItems } = schemaFacts(pointer);
  const amount = Object.hasOwn(AMOUNTS, definition) ? AMOUNTS[definition] : undefined;
  if (amount !== undefined && (typeof value === 'string' || typeof value === 'number')) {
    return String(amount(value));
  }
  if (uniqueItems === true && Array.isArray(value)) {
    return JSON.stringify(value.map((item) => canonical(item)).sort());
  }
  return canonical(value);
}

/** JSON that does not depend on the order of keys. */
function canonical(value: JsonValue): string {
  return JSON.stringify(value, (_key, part: JsonValue) =>
    isMapping(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
  );
}
