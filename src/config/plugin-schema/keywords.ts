import { isMapping } from '../source/merge.js';
import type { JsonValue } from '../types.js';
import { ENUM_ENTRIES_MAX, PATTERN_CHARACTERS_MAX } from './limits.js';

/** What a keyword's value must be: a value of some form, or further schemas. */
export type KeywordForm =
  | { readonly kind: 'value'; readonly is: string; readonly test: (value: JsonValue) => boolean }
  | { readonly kind: 'schema' | 'schemas' | 'schema map' | 'pattern map' | 'items' | 'dependencies' };

const isString = (value: JsonValue): value is string => typeof value === 'string';
const isPattern = (value: JsonValue): boolean => isString(value) && value.length <= PATTERN_CHARACTERS_MAX;
const isTexts = (value: JsonValue): boolean => Array.isArray(value) && value.every(isString);

const anything: KeywordForm = { kind: 'value', is: 'any value', test: () => true };
const text: KeywordForm = { kind: 'value', is: 'a string', test: isString };
const flag: KeywordForm = { kind: 'value', is: 'true or false', test: (value) => typeof value === 'boolean' };
const number: KeywordForm = { kind: 'value', is: 'a number', test: (value) => typeof value === 'number' };
const count: KeywordForm = {
  kind: 'value',
  is: 'a whole number that is not negative',
  test: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
};

const TYPES = new Set(['null', 'boolean', 'object', 'array', 'number', 'integer', 'string']);
const isType = (value: JsonValue): boolean => isString(value) && TYPES.has(value);

/** Formats that are checked by fixed code, so that no schema can make them slow. */
export const FORMATS: ReadonlySet<string> = new Set([
  ...['date', 'time', 'date-time', 'duration', 'uri', 'uri-reference', 'email', 'hostname', 'ipv4', 'ipv6'],
  ...['uuid', 'byte', 'password'],
]);

/**
 * Formats of numbers that generators write beside `minimum` and `maximum`, such as schemars and OpenAPI
 * tools. They say how a program stores the number and are not checked.
 */
export const NUMBER_FORMATS: ReadonlySet<string> = new Set([
  ...['int', 'int8', 'int16', 'int32', 'int64', 'uint', 'uint8', 'uint16', 'uint32', 'uint64'],
  ...['float', 'double'],
]);

/** The keywords of JSON Schema draft-07 that a plugin's schema may use. */
export const KEYWORDS: ReadonlyMap<string, KeywordForm> = new Map<string, KeywordForm>([
  ...['title', 'description', '$comment', '$schema', 'contentEncoding', 'contentMediaType'].map(
    (name) => [name, text] as const,
  ),
  ...['default', 'const'].map((name) => [name, anything] as const),
  ...['readOnly', 'writeOnly', 'deprecated', 'uniqueItems'].map((name) => [name, flag] as const),
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'].map((name) => [name, number] as const),
  ...['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'].map(
    (name) => [name, count] as const,
  ),
  ['multipleOf', { kind: 'value', is: 'a number above 0', test: (value) => Number(value) > 0 }],
  ['examples', { kind: 'value', is: 'a list', test: Array.isArray }],
  ['required', { kind: 'value', is: 'a list of strings', test: isTexts }],
  [
    'type',
    {
      kind: 'value',
      is: 'a JSON type or a list of JSON types',
      test: (value) => (Array.isArray(value) ? value.length > 0 && value.every(isType) : isType(value)),
    },
  ],
  [
    'enum',
    {
      kind: 'value',
      is: `a list of 1 to ${ENUM_ENTRIES_MAX} values`,
      test: (value) => Array.isArray(value) && value.length > 0 && value.length <= ENUM_ENTRIES_MAX,
    },
  ],
  [
    'pattern',
    { kind: 'value', is: `a string of at most ${PATTERN_CHARACTERS_MAX} characters`, test: isPattern },
  ],
  [
    'format',
    {
      kind: 'value',
      is: `one of ${[...FORMATS, ...NUMBER_FORMATS].join(', ')}`,
      test: (value) => isString(value) && (FORMATS.has(value) || NUMBER_FORMATS.has(value)),
    },
  ],
  [
    '$ref',
    {
      kind: 'value',
      is: 'a reference within the schema, such as "#/definitions/name"',
      test: (value) => isString(value) && /^#(\/|$)/.test(value),
    },
  ],
  ...[
    'additionalProperties',
    'propertyNames',
    'additionalItems',
    'contains',
    'not',
    'if',
    'then',
    'else',
  ].map((name) => [name, { kind: 'schema' }] as const),
  ...['allOf', 'anyOf', 'oneOf'].map((name) => [name, { kind: 'schemas' }] as const),
  ...['properties', 'definitions', '$defs'].map((name) => [name, { kind: 'schema map' }] as const),
  ['patternProperties', { kind: 'pattern map' }],
  ['items', { kind: 'items' }],
  ['dependencies', { kind: 'dependencies' }],
]);

/** The schemas directly below a keyword, or a description of what the keyword's value should have been. */
export function schemasBelow(
  form: KeywordForm,
  value: JsonValue,
): readonly (readonly [key: string | null, schema: JsonValue])[] | string {
  switch (form.kind) {
    case 'value':
      return form.test(value) ? [] : form.is;
    case 'schema':
      return [[null, value]];
    case 'schemas':
      return Array.isArray(value) && value.length > 0 ? listed(value) : 'a list of schemas';
    case 'items':
      return Array.isArray(value) ? listed(value) : [[null, value]];
    case 'schema map':
      return isMapping(value) ? Object.entries(value) : 'an object of schemas';
    case 'pattern map':
      return isMapping(value) && Object.keys(value).every(isPattern)
        ? Object.entries(value)
        : `an object of schemas whose keys have at most ${PATTERN_CHARACTERS_MAX} characters`;
    case 'dependencies':
      return isMapping(value)
        ? Object.entries(value).filter(([, entry]) => !isTexts(entry))
        : 'an object of schemas or lists of strings';
  }
}

const listed = (values: readonly JsonValue[]): [string, JsonValue][] =>
  values.map((value, index) => [String(index), value]);
