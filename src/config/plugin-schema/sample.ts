import { isMapping } from '../source/merge.js';
import type { JsonObject, JsonValue } from '../types.js';

const DEPTH_MAX = 8;
const ENTRIES_MAX = 16;
const PLACEHOLDER = 'change-me';

type Resolve = (schema: JsonValue) => JsonObject;

/**
 * A value that a schema most likely accepts: the constant, default or example it names, else the smallest
 * value of its type. A pattern without an example is not supported.
 */
export function sampleOf(given: JsonValue, resolve: Resolve, depth = 0): JsonValue {
  const schema = resolve(given);
  const { examples, enum: values } = schema;
  if (schema['const'] !== undefined) return schema['const'];
  if (schema['default'] !== undefined) return schema['default'];
  if (Array.isArray(examples) && examples[0] !== undefined) return examples[0];
  if (Array.isArray(values) && values[0] !== undefined) return values[0];
  for (const form of [schema['oneOf'], schema['anyOf']]) {
    if (Array.isArray(form) && form[0] !== undefined && depth < DEPTH_MAX)
      return sampleOf(form[0], resolve, depth + 1);
  }
  const type = Array.isArray(schema['type']) ? schema['type'][0] : schema['type'];
  switch (typeof type === 'string' ? type : '') {
    case 'boolean':
      return false;
    case 'null':
      return null;
    case 'integer':
      return numberIn(schema, 1);
    case 'number':
      return numberIn(schema, 0.5);
    case 'array':
      return listIn(schema, resolve, depth);
    case 'object':
      return objectIn(schema, resolve, depth);
    default:
      return isMapping(schema['properties']) ? objectIn(schema, resolve, depth) : textIn(schema);
  }
}

function numberIn(schema: JsonObject, step: number): number {
  const of = (key: string): number | undefined => (typeof schema[key] === 'number' ? schema[key] : undefined);
  const least = of('minimum');
  const above = of('exclusiveMinimum');
  const most = of('maximum');
  const below = of('exclusiveMaximum');
  const multiple = of('multipleOf');
  let value = least ?? (above === undefined ? Math.min(1, most ?? 1, (below ?? 2) - step) : above + step);
  if (above !== undefined && below !== undefined && value >= below) value = (above + below) / 2;
  if (multiple !== undefined) value = Math.ceil(value / multiple) * multiple;
  return step === 1 ? Math.ceil(value) : value;
}

function textIn(schema: JsonObject): string {
  const format = typeof schema['format'] === 'string' ? schema['format'] : '';
  const most = typeof schema['maxLength'] === 'number' ? schema['maxLength'] : PLACEHOLDER.length;
  const least = typeof schema['minLength'] === 'number' ? Math.min(schema['minLength'], 1024) : 0;
  return (FORMAT_SAMPLES.get(format) ?? PLACEHOLDER.slice(0, most)).padEnd(least, 'x');
}

const FORMAT_SAMPLES: ReadonlyMap<string, string> = new Map([
  ['date', '2026-01-31'],
  ['time', '12:00:00Z'],
  ['date-time', '2026-01-31T12:00:00Z'],
  ['duration', 'PT1H'],
  ['uri', 'https://example.com/'],
  ['uri-reference', '/'],
  ['email', 'name@example.com'],
  ['hostname', 'example.com'],
  ['ipv4', '127.0.0.1'],
  ['ipv6', '::1'],
  ['uuid', '00000000-0000-4000-8000-000000000000'],
  ['byte', 'AAAA'],
]);

function listIn({ minItems, items }: JsonObject, resolve: Resolve, depth: number): JsonValue[] {
  const length = typeof minItems === 'number' ? Math.min(minItems, ENTRIES_MAX) : 0;
  if (depth >= DEPTH_MAX) return [];
  return Array.from({ length }, (_, index) =>
    sampleOf((Array.isArray(items) ? items[index] : items) ?? {}, resolve, depth + 1),
  );
}

function objectIn({ properties, required }: JsonObject, resolve: Resolve, depth: number): JsonObject {
  if (!isMapping(properties) || !Array.isArray(required) || depth >= DEPTH_MAX) return {};
  const keys = Object.keys(properties).filter((key) => required.includes(key));
  return Object.fromEntries(keys.map((key) => [key, sampleOf(properties[key] ?? {}, resolve, depth + 1)]));
}
