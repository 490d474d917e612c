import type { JsonValue, Written } from '../types.js';
import type { Mark } from './mark.js';
import { below, isWithin, type Pointer } from './pointer.js';

/**
 * What JavaScript values lose when they are read from a file: the digits of numbers, and the order of some
 * keys.
 */

/** For a value that JSON.stringify() writes exactly as the file does. */
export const AS_IT_IS: Written = Object.freeze({ numbers: Object.freeze({}), keys: Object.freeze({}) });

const DECIMAL = /^([-+]?)0*(\d*)(?:\.(\d*))?([eE][-+]?\d+)?$/;

/** A number of YAML's core schema as JSON text, with its original digits. */
export function jsonNumber(source: string): string {
  if (/^0[xo]/.test(source)) return BigInt(source).toString();
  const [, sign, whole, fraction, exponent = ''] = DECIMAL.exec(source) ?? [];
  if (whole === undefined) throw new TypeError(`no decimal number: ${source}`);
  const decimals = fraction === undefined ? '' : `.${fraction === '' ? '0' : fraction}`;
  return `${sign === '-' ? '-' : ''}${whole === '' ? '0' : whole}${decimals}${exponent}`;
}

/** How the file writes the value at `ancestor`, from the marks within it. */
export function writtenAt(marks: ReadonlyMap<Pointer, Mark>, ancestor: Pointer): Written {
  const numbers: [Pointer, string][] = [];
  const keys: [Pointer, readonly string[]][] = [];
  for (const [pointer, mark] of marks) {
    if ((mark.number === undefined && mark.keys === undefined) || !isWithin(pointer, ancestor)) continue;
    const at = pointer.slice(ancestor.length);
    if (mark.number !== undefined) numbers.push([at, mark.number]);
    if (mark.keys !== undefined) keys.push([at, mark.keys]);
  }
  if (numbers.length + keys.length === 0) return AS_IT_IS;
  return { numbers: Object.fromEntries(numbers), keys: Object.fromEntries(keys) };
}

/** The same information for a value that became a part of another value. */
export function writtenBelow({ numbers, keys }: Written, pointer: Pointer): Written {
  const moved = <T>(places: Readonly<Record<Pointer, T>>): Record<Pointer, T> =>
    Object.fromEntries(Object.entries(places).map(([at, value]) => [pointer + at, value]));
  return { numbers: moved(numbers), keys: moved(keys) };
}

/**
 * Writes a value as JSON with the digits and key order of its file. Values that were changed or added since
 * are written as JSON.stringify() writes them.
 * @param indent spaces for each level; 0 for one line
 */
export function exactJson(value: JsonValue, written: Written, indent = 0): string {
  const list = (
    parts: readonly string[],
    [open, close]: readonly [string, string],
    level: number,
  ): string => {
    if (indent === 0 || parts.length === 0) return `${open}${parts.join()}${close}`;
    const margin = `\n${' '.repeat(indent * level)}`;
    const inner = margin + ' '.repeat(indent);
    return `${open}${inner}${parts.join(`,${inner}`)}${margin}${close}`;
  };
  const write = (pointer: Pointer, part: JsonValue, level: number): string => {
    if (typeof part === 'number') return numberJson(part, written.numbers[pointer]);
    if (typeof part !== 'object' || part === null) return JSON.stringify(part);
    if (Array.isArray(part)) {
      const items = part.map((item, index) => write(below(pointer, index), item, level + 1));
      return list(items, ['[', ']'], level);
    }
    const colon = indent === 0 ? ':' : ': ';
    const members = orderedKeys(part, written.keys[pointer]).map(
      (key) => JSON.stringify(key) + colon + write(below(pointer, key), part[key] ?? null, level + 1),
    );
    return list(members, ['{', '}'], level);
  };
  return written === AS_IT_IS && indent === 0 ? JSON.stringify(value) : write('', value, 0);
}

function numberJson(value: number, written: string | undefined): string {
  return written !== undefined && Object.is(Number(written), value) ? written : JSON.stringify(value);
}

/** The keys of a mapping in the order of the file. Keys that were added later come last. */
export function orderedKeys(value: object, written: readonly string[] | undefined): readonly string[] {
  const keys = Object.keys(value);
  if (written === undefined) return keys;
  const known = new Set(written);
  return [...written.filter((key) => Object.hasOwn(value, key)), ...keys.filter((key) => !known.has(key))];
}

/**
 * The order of a mapping's keys if JavaScript would order them differently (it puts numbers first), else
 * undefined.
 */
export function keysToKeep(keys: readonly string[]): readonly string[] | undefined {
  const own = Object.keys(Object.fromEntries(keys.map((key) => [key, null])));
  return own.every((key, index) => key === keys[index]) ? undefined : keys;
}
