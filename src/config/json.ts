/** JSON as the configuration and the documents of plugins use it. This file contains only types. */

/** Any JSON value. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };
/** A JSON object. */
export type JsonObject = { [key: string]: JsonValue };

/**
 * Details of how the file writes a value that a JavaScript value cannot hold, keyed by JSON pointers within
 * the value. Empty when JSON.stringify() writes the same text as the file.
 */
export interface Written {
  /** Numbers as JSON text, with the digits of the file. */
  readonly numbers: Readonly<Record<string, string>>;
  /** The keys of mappings, in the order of the file. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
}
