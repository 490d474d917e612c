import { isUtf8 } from 'node:buffer';
import type { JsonValue } from '../config/types.js';

/** A body is cut at up to this many places in one round. */
const CUTS = 16;

/** Texts without some part of a text, the shortest first. */
export function* shorterTexts(text: string): Iterable<string> {
  if (text === '') return;
  yield '';
  for (const [from, to] of parts(text.length)) yield text.slice(0, from) + text.slice(to);
}

/** Bodies with less in them: values of JSON alone, then bodies without some of their bytes. */
export function* simplerBodies(body: Buffer | null): Iterable<Buffer | null> {
  if (body === null) return;
  yield null;
  for (const value of simplerValues(body)) yield Buffer.from(JSON.stringify(value));
  for (const [from, to] of parts(body.length))
    yield Buffer.concat([body.subarray(0, from), body.subarray(to)]);
}

/** JSON texts with less in them. */
export function* simplerJson(text: string): Iterable<string> {
  for (const value of simplerValues(Buffer.from(text))) yield JSON.stringify(value);
}

function* simplerValues(body: Buffer): Iterable<JsonValue> {
  if (!isUtf8(body)) return;
  let value: JsonValue;
  try {
    value = JSON.parse(body.toString()) as JsonValue;
  } catch {
    return;
  }
  yield* valuesWithin(value);
}

function* valuesWithin(value: JsonValue): Iterable<JsonValue> {
  if (typeof value === 'string') {
    yield* shorterTexts(value);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const inner = Object.values(value).slice(0, CUTS);
  if (Array.isArray(value)) {
    yield [];
    for (const [from, to] of parts(value.length)) yield [...value.slice(0, from), ...value.slice(to)];
    yield* inner;
    for (const [index, item] of value.slice(0, CUTS).entries())
      for (const simpler of valuesWithin(item)) yield value.with(index, simpler);
    return;
  }
  yield {};
  const names = Object.keys(value);
  for (const [from, to] of parts(names.length)) {
    const kept = [...names.slice(0, from), ...names.slice(to)];
    yield Object.fromEntries(kept.map((name) => [name, value[name] as JsonValue]));
  }
  yield* inner;
  for (const name of names.slice(0, CUTS))
    for (const simpler of valuesWithin(value[name] as JsonValue)) yield { ...value, [name]: simpler };
}

/** Ranges that can be left out: halves first, then smaller and smaller parts. */
function* parts(length: number): Iterable<readonly [from: number, to: number]> {
  for (let count = 2; count <= CUTS && count <= length * 2; count *= 2) {
    const size = Math.max(1, Math.ceil(length / count));
    for (let from = 0; from < length; from += size) yield [from, Math.min(length, from + size)];
    if (size === 1) return;
  }
}
