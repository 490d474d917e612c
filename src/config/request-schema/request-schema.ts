import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { FORMATS, NUMBER_FORMATS } from '../plugin-schema/keywords.js';
import { vetSchema } from '../plugin-schema/vet.js';
import { isMapping } from '../source/merge.js';
import type { JsonObject, JsonValue } from '../types.js';
import { linearPatterns } from './linear-pattern.js';

/** What is wrong with a part of a request. Contains no value of the request. */
export interface Violation {
  /** JSON pointer within the part. */
  readonly pointer: string;
  readonly message: string;
}

const VIOLATIONS_MAX = 20;
const POINTER_CHARACTERS_MAX = 200;
const MESSAGE_CHARACTERS_MAX = 200;
/** Comparing all entries of a list with each other takes time with the square of their number. */
const UNIQUE_ITEMS_MAX = 1000;

/** A schema of the configuration for one part of a request. */
export class RequestSchema {
  /** Stops at the first mistake, so that a long request with many cannot fill the memory. */
  private readonly first: ValidateFunction;
  /** Finds all mistakes; made when a request has one. */
  private all: ValidateFunction | null = null;

  /**
   * @param schema without faults
   * @param isText the values are texts that stand for numbers and booleans, as in a query
   */
  constructor(
    private readonly schema: JsonObject,
    private readonly isText: boolean,
  ) {
    this.first = compile(schema, isText, false);
  }

  /**
   * Checks a part of a request, which it may change.
   * @param listAll whether more than the first mistake is wanted; the part is short
   * @returns at most 20 mistakes; none when the part follows the schema
   */
  check(value: JsonValue, listAll: boolean): readonly Violation[] {
    const copy = listAll ? structuredClone(value) : value;
    if (this.first(value)) return [];
    if (!listAll) return violations(this.first);
    this.all ??= compile(this.schema, this.isText, true);
    // Coercion may have changed the value before the mistake was found.
    return this.all(copy) ? violations(this.first) : violations(this.all);
  }
}

/** Why a schema of the configuration cannot be used; null when it can. */
export function schemaFault(schema: JsonObject): string | null {
  const fault = vetSchema(schema) ?? uniqueFault(schema);
  if (fault !== null) return fault;
  try {
    compile(schema, false, false);
    return null;
  } catch (error) {
    return error instanceof RangeError ? 'it refers to itself without end' : (error as Error).message;
  }
}

function uniqueFault(schema: JsonValue): string | null {
  if (Array.isArray(schema)) return firstFault(schema);
  if (!isMapping(schema)) return null;
  const { uniqueItems, maxItems } = schema;
  if (uniqueItems === true && !(Number(maxItems) <= UNIQUE_ITEMS_MAX))
    return `uniqueItems needs maxItems of at most ${UNIQUE_ITEMS_MAX} beside it`;
  return firstFault(Object.values(schema));
}

function firstFault(parts: readonly JsonValue[]): string | null {
  for (const part of parts) {
    const fault = uniqueFault(part);
    if (fault !== null) return fault;
  }
  return null;
}

function compile(schema: JsonObject, isText: boolean, allErrors: boolean): ValidateFunction {
  const ajv = new Ajv({
    allErrors,
    // vetSchema() has decided which keywords are allowed.
    strict: false,
    coerceTypes: isText ? 'array' : false,
    ownProperties: true,
    inlineRefs: false,
    logger: false,
    code: { regExp: linearPatterns },
  });
  addFormats.default(ajv, [...FORMATS] as addFormats.FormatName[]);
  for (const format of NUMBER_FORMATS) ajv.addFormat(format, true);
  // All dialects are read as the one that the validator knows.
  const { $schema, ...rules } = schema;
  void $schema;
  return ajv.compile(rules);
}

function violations({ errors }: ValidateFunction): Violation[] {
  return (errors ?? []).slice(0, VIOLATIONS_MAX).map((error) => ({
    pointer: short(error.instancePath, POINTER_CHARACTERS_MAX),
    message: short(messageOf(error), MESSAGE_CHARACTERS_MAX),
  }));
}

function messageOf({ keyword, params, message = keyword }: ErrorObject): string {
  if (keyword === 'additionalProperties')
    return `must not have the property ${JSON.stringify(params['additionalProperty'])}`;
  if (keyword === 'enum') {
    const allowed = (params['allowedValues'] as JsonValue[]).map((value) => JSON.stringify(value));
    return `must be one of ${allowed.join(', ')}`;
  }
  return message;
}

function short(text: string, charactersMax: number): string {
  return text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text;
}
