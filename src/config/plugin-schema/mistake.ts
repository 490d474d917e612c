import type { JsonObject, JsonValue } from '../types.js';

/** The input of the thread, as plain values. */
export interface CheckTask {
  readonly schema: JsonObject;
  readonly config: JsonObject;
  /** The alternative readings of variables, by pointer. */
  readonly alternatives: readonly (readonly [pointer: string, value: JsonValue])[];
}

/** The answer of the thread. The thread sends `up` first. */
export type CheckAnswer =
  /** @property config with the schema's defaults filled in */
  { readonly config: JsonObject; readonly mistakes: readonly Mistake[] } | { readonly unusable: string };

/** A value that violates a keyword of the schema. */
export interface Mistake {
  readonly keyword: string;
  /** Pointer within the configuration. */
  readonly pointer: string;
  /** Path within the schema, as the validator writes it. */
  readonly schemaPath: string;
  /** The key that is wrong, missing or unknown. */
  readonly key: string | null;
  readonly rule: Rule;
}

/** The parts of a schema that messages are built from. */
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
  /** For an object: the keys that the schema lists. */
  readonly keys?: readonly string[];
}
