import { isUtf8 } from 'node:buffer';
import { checkJson, JsonFact } from '../../../dist/native/json-check.js';

const STRINGS = /"((?:[^"\\]|\\.)*)"(\s*:)?/g;

/** Levels of a valid text. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const bracket of text.replace(STRINGS, '').match(/[[\]{}]/g) ?? []) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

/** Names of a valid text, including those hidden by another member of the same name. */
function* namesIn(text: string): Generator<unknown> {
  for (const [, name, colon] of text.matchAll(STRINGS)) {
    if (colon !== undefined) yield JSON.parse(`"${name}"`);
  }
}

/** The result of JSON.parse() for bytes, as facts. */
function parsedFacts(bytes: Buffer, depthMax: number): number {
  if (!isUtf8(bytes)) return 0;
  const text = bytes.toString();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 0;
  }
  if (depthOf(text) > depthMax) return JsonFact.TOO_DEEP;
  let facts: number = JsonFact.VALID;
  for (const name of namesIn(text)) if (name === '__proto__') facts |= JsonFact.HAS_PROTOTYPE;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return facts;
  if (Object.hasOwn(value, 'status')) facts |= JsonFact.HAS_STATUS;
  if (Object.hasOwn(value, 'body')) facts |= JsonFact.HAS_BODY;
  return facts;
}

/**
 * What the library reports differently from JSON.parse(); null when they agree. A text that nests too deep is
 * not read further, so its rest may be anything.
 */
export function disagreement(bytes: Buffer, depthMax: number): string | null {
  const facts = checkJson(bytes, depthMax);
  const expected = parsedFacts(bytes, depthMax);
  if (facts === expected || (facts === JsonFact.TOO_DEEP && parsedFacts(bytes, Infinity) === 0)) return null;
  return `${JSON.stringify(bytes.toString('latin1'))}: ${facts} instead of ${expected}`;
}
