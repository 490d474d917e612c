import { isMapping } from '../source/merge.js';
import { segments } from '../source/pointer.js';
import type { JsonObject, JsonValue } from '../types.js';

const REFERENCES_MAX = 16;

/**
 * The referenced schema, if a schema is a reference; an empty schema if the reference leads nowhere.
 * @param root the whole vetted schema
 */
export function resolveReference(root: JsonObject, given: JsonValue): JsonObject {
  let schema = given;
  for (let step = 0; step < REFERENCES_MAX && isMapping(schema); step += 1) {
    const reference = schema['$ref'];
    if (typeof reference !== 'string') return schema;
    schema = segments(decodeURIComponent(reference.slice(1))).reduce<JsonValue>(
      (part, segment) => (isMapping(part) && Object.hasOwn(part, segment) ? (part[segment] ?? {}) : {}),
      root,
    );
  }
  return {};
}
