import type { ErrorObject } from 'ajv';
import { nearest } from '../source/nearest.js';
import { below, type Pointer, quote } from '../source/pointer.js';
import type { Finding } from '../source/problems.js';
import type { Source } from '../source/source.js';
import type { JsonValue } from '../types.js';
import { isNotSupportedYet, refusal } from './unsupported.js';

export interface Explanation {
  readonly pointer: Pointer;
  /** The problem is the key, not its value. */
  readonly atKey: boolean;
  readonly finding: Finding;
}

/** The parts of a schema that messages are built from. */
interface SchemaFacts {
  readonly type?: string | readonly string[] | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly patternErrorMessage?: string;
  readonly writeOnly?: boolean;
}

/** Explains a failure of the schema. Undefined when another failure explains the problem better. */
export function explain(error: ErrorObject, source: Source): Explanation | undefined {
  const schema = withoutNull((error.parentSchema ?? {}) as SchemaFacts);
  const pointer = error.instancePath;
  if (error.keyword === 'propertyNames') return undefined;
  if (error.propertyName !== undefined) {
    const finding = { expected: expectation(schema), found: quote(error.propertyName) };
    return { pointer: below(pointer, error.propertyName), atKey: true, finding };
  }
  if (error.keyword === 'additionalProperties') {
    const key = String(error.params['additionalProperty']);
    return unknownKey(pointer, key, Object.keys(schema.properties ?? {}));
  }
  if (error.keyword === 'required') {
    const message = `the key ${quote(String(error.params['missingProperty']))} is missing`;
    return { pointer, atKey: true, finding: { message } };
  }
  const found = source.origin(pointer) ?? describe(error.data as JsonValue, schema.writeOnly === true);
  if (error.keyword === 'uniqueItems') {
    const later = Math.max(Number(error.params['i']), Number(error.params['j']));
    const finding = { message: 'the list already has this entry', hint: 'remove it' };
    return { pointer: below(pointer, later), atKey: false, finding };
  }
  if (error.keyword === 'maxItems') {
    const finding = {
      expected: `at most ${schema.maxItems} entries`,
      found: String((error.data as JsonValue[]).length),
    };
    return { pointer, atKey: false, finding };
  }
  const fromEnvironment = source.origin(pointer) !== undefined;
  const hint =
    pointer === ''
      ? undefined
      : (hostHint(pointer, error.data) ?? hintFor(error.data, schema, fromEnvironment));
  return { pointer, atKey: false, finding: { expected: expectation(schema), found, hint } };
}

/** In an overlay, null removes a value. Messages do not suggest null. */
function withoutNull(schema: SchemaFacts): SchemaFacts {
  const types = Array.isArray(schema.type) ? schema.type.filter((type) => type !== 'null') : schema.type;
  return {
    ...schema,
    type: Array.isArray(types) && types.length === 1 ? (types[0] as string) : types,
    enum: schema.enum?.filter((value) => value !== null),
  };
}

function unknownKey(parent: Pointer, key: string, known: readonly string[]): Explanation {
  const pointer = below(parent, key);
  if (isNotSupportedYet(pointer)) {
    const message = 'this key is not supported by this version yet';
    return { pointer, atKey: true, finding: { message, hint: 'remove it' } };
  }
  const refused = refusal(pointer);
  if (refused !== undefined) return { pointer, atKey: true, finding: refused };
  const near = nearest(key, known);
  let hint = `the keys here are ${known.join(', ')}`;
  if (near !== undefined) hint = `did you mean ${quote(near)}?`;
  // Only overlays reject these two keys.
  if (pointer === '/environments') hint = 'an environment cannot contain environments';
  if (pointer === '/config_version') hint = 'it applies to the whole file: move it to the top level';
  if (key === '<<') hint = 'merge keys are not part of YAML 1.2; repeat the values';
  return { pointer, atKey: true, finding: { message: `unknown key ${quote(key)}`, hint } };
}

/** Describes what a schema accepts: `a duration such as "100ms"`, `a whole number from 0 to 65535`. */
function expectation(schema: SchemaFacts): string {
  if (schema.patternErrorMessage !== undefined) return schema.patternErrorMessage.replace(/^expected /, '');
  if (schema.enum !== undefined) return alternatives(schema.enum.map((value) => JSON.stringify(value)));
  if (schema.type === 'integer') return `a whole number from ${schema.minimum} to ${schema.maximum}`;
  if (schema.type === 'boolean') return 'true or false';
  if (schema.type === 'object') return 'a mapping';
  if (schema.type === 'array') return schema.minItems === undefined ? 'a list' : 'a list that is not empty';
  return schema.minLength === undefined ? 'a string' : 'a string that is not empty';
}

export function alternatives(values: readonly string[]): string {
  const last = values.at(-1) ?? '';
  return values.length < 2 ? last : `${values.slice(0, -1).join(', ')} or ${last}`;
}

/** A value as messages show it. For a secret, only its type. */
export function describe(value: JsonValue, secret: boolean): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (secret) return `a ${typeof value}`;
  return typeof value === 'string' ? quote(withoutCredentials(value)) : String(value);
}

/** A URL can contain a user name and a password. */
export function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/]*@/, '//…@');
}

const PORT = /^\/plugins\/[^/]+\/permissions\/network\/(connect|listen)\/[0-9]+$/;

/** Why a port list does not accept an address such as `api.example.com:443`. */
function hostHint(pointer: Pointer, value: unknown): string | undefined {
  if (typeof value !== 'string' || /^[0-9]*$/.test(value) || !PORT.test(pointer)) return undefined;
  return 'the kernel cannot restrict a process to a host; grant the port only';
}

function hintFor(value: unknown, schema: SchemaFacts, fromEnvironment: boolean): string | undefined {
  if (value === null) return 'give it a value or remove the key';
  if (schema.type === 'array' && typeof value !== 'object') return 'write the list in [ ]';
  if (typeof value === 'string') return textHint(value, schema, fromEnvironment);
  if (typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  if (!fromEnvironment && schema.type === 'string' && schema.enum === undefined) return 'put it in quotes';
  return amountHint(value === 0, typeof value === 'number' && value > 0 && Number.isInteger(value), schema);
}

/** Booleans of YAML 1.1 that YAML 1.2 reads as text. */
const FORMER_BOOLEANS = new Map([
  ['yes', 'write true'],
  ['on', 'write true'],
  ['no', 'write false'],
  ['off', 'write false'],
]);

function textHint(text: string, schema: SchemaFacts, fromEnvironment: boolean): string | undefined {
  const wanted = schema.type === 'boolean' ? /^(true|false)$/ : /^[0-9]+$/;
  const typed = schema.type === 'boolean' || schema.type === 'integer';
  if (typed && !fromEnvironment && wanted.test(text)) return 'remove the quotes';
  if (schema.type === 'boolean') return FORMER_BOOLEANS.get(text.toLowerCase());
  if (schema.enum !== undefined && !fromEnvironment) {
    const near = nearest(text, schema.enum.map(String));
    if (near !== undefined) return `did you mean ${quote(near)}?`;
  }
  return amountHint(/^0+[A-Za-z]+$/.test(text), /^[0-9]+(ms|s|m|h|[KMGk]?i?B|%)$/.test(text), schema);
}

/** Why a well-formed duration or size was rejected. */
function amountHint(zero: boolean, wellFormed: boolean, schema: SchemaFacts): string | undefined {
  const kind = /duration|size|percentage/.exec(schema.patternErrorMessage ?? '')?.[0];
  if (kind === undefined) return undefined;
  if (zero) return 'it must be above 0';
  return wellFormed ? `the ${kind} is too large` : undefined;
}
