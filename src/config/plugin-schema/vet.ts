import { isMapping } from '../source/merge.js';
import { nearest } from '../source/nearest.js';
import { below, type Pointer, quote } from '../source/pointer.js';
import type { JsonObject, JsonValue } from '../types.js';
import { KEYWORDS, schemasBelow } from './keywords.js';
import { SCHEMA_BYTES_MAX, SCHEMA_DEPTH_MAX, SUBSCHEMAS_MAX } from './limits.js';

/**
 * Returns why a plugin's schema must not be compiled, or null. Nothing of the schema is executed here, not
 * even a pattern. A schema that is slow or recurses without end is caught in the thread that applies it.
 */
export function vetSchema(schema: JsonObject): string | null {
  const bytes = Buffer.byteLength(JSON.stringify(schema));
  if (bytes > SCHEMA_BYTES_MAX) return `it is longer than ${SCHEMA_BYTES_MAX} bytes`;
  // An explicit stack instead of recursion: the depth comes from an untrusted schema.
  const open: { at: Pointer; schema: JsonValue; depth: number }[] = [{ at: '', schema, depth: 1 }];
  for (let next = 0; next < open.length; next += 1) {
    const { at, schema: part, depth } = open[next] as (typeof open)[number];
    if (next >= SUBSCHEMAS_MAX) return `it has more than ${SUBSCHEMAS_MAX} schemas`;
    if (depth > SCHEMA_DEPTH_MAX) return `it is nested more than ${SCHEMA_DEPTH_MAX} deep`;
    if (typeof part === 'boolean') continue;
    if (!isMapping(part)) return `${shown(at)} is not a schema (an object, true or false)`;
    for (const [keyword, value] of Object.entries(part)) {
      // By convention these are for editors and generators.
      if (keyword.startsWith('x-')) continue;
      const form = KEYWORDS.get(keyword);
      if (form === undefined) return unknownKeyword(at, keyword);
      const found = schemasBelow(form, value);
      const place = below(at, keyword);
      if (typeof found === 'string') return `${shown(place)} is not ${found}`;
      for (const [key, inner] of found) {
        if (key === '__proto__') return `${shown(place)} has the key "__proto__"`;
        open.push({ at: key === null ? place : below(place, key), schema: inner, depth: depth + 1 });
      }
    }
  }
  return null;
}

function unknownKeyword(at: Pointer, keyword: string): string {
  const near = nearest(keyword, [...KEYWORDS.keys()]);
  const why = near === undefined ? 'which is not supported' : `did you mean ${quote(near)}?`;
  const place = at === '' ? 'it' : shown(at);
  return `${place} has the keyword ${quote(keyword)}, ${near === undefined ? why : `which does not exist — ${why}`}`;
}

const shown = (pointer: Pointer): string => (pointer === '' ? 'it' : quote(`#${pointer}`));
