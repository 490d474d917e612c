import type { JsonObject, JsonValue } from '../types.js';

/** What the thread is given: everything as plain values. */
export interface CheckTask {
  readonly schema: JsonObject;
  readonly config: JsonObject;
  /** The other readings of variables, by pointer. */
  readonly alternatives: readonly (readonly [pointer: string, value: JsonValue])[];
}

/** What the thread answers, after it has said that it is up. */
export type CheckAnswer =
  /** @property config with the defaults of the schema filled in */
  { readonly config: JsonObject; readonly mistakes: readonly Mistake[] } | { readonly unusable: string };

/** A value that breaks a keyword of the schema. */
export interface Mistake {
  readonly keyword: string;
  /** Within the configuration. */
  readonly pointer: string;
  /** Within the schema, as the validator counts. */
  readonly schemaPath: string;
  /** The key that is wrong, missing or not known. */
  readonly key: string | null;
  readonly rule: Rule;
}

/** The parts of a schema that messages are made of. */
export interface Rule {
  readonly type?: string | readonly string[];
  readonly enum?: readonly JsonValue[];
  readonly const?: JsonValue;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly writeOnly?: boolean;
  /** The keys the schema knows, of an object. */
  readonly keys?: readonly string[];
}
