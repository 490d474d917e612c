import { compile } from 'json-schema-to-typescript';

const BANNER = `/**
 * The file after the schema has accepted it and filled in its defaults: units and paths as written.
 * Generated from schema/backworks.v1.json by scripts/generate-from-schema.mjs; do not edit.
 */
import type { JsonObject, JsonValue } from '../types.js';`;

const PREFIX = '#/definitions/';

/** Definitions that have the same TypeScript type. */
const TYPE_NAMES = {
  positiveDuration: 'RawDuration',
  positiveSize: 'RawSize',
};

const typeName = (definition) =>
  TYPE_NAMES[definition] ?? `Raw${definition[0].toUpperCase()}${definition.slice(1)}`;

/** TypeScript for a checked file, in which every key with a default is present. */
export async function rawTypes({ definitions, ...schema }) {
  const properties = without(schema.properties, ['environments']);
  const own = Object.entries(definitions).filter(([name]) => !/^(overlay|variable$)/.test(name));
  const types = Object.fromEntries(own.map(([name, definition]) => [typeName(name), checked(definition)]));
  const root = { ...checked({ ...schema, properties }), definitions: types };
  return compile(root, 'RawConfig', { bannerComment: BANNER, additionalProperties: false, format: false });
}

/** Type names come from the definitions, comments from the descriptions. */
function checked(schema) {
  // Variables have already been replaced by their values.
  if (schema.anyOf !== undefined) return checked({ description: schema.description, ...schema.anyOf[0] });
  const [only] = schema.allOf ?? [];
  if (only !== undefined) return { $ref: PREFIX + typeName(only.$ref.slice(PREFIX.length)) };
  if (schema.$ref !== undefined) return { $ref: PREFIX + typeName(schema.$ref.slice(PREFIX.length)) };
  if (schema.additionalProperties === true) return { description: schema.description, tsType: 'JsonObject' };
  if (schema.type === undefined) return { description: schema.description, tsType: 'JsonValue' };
  const copy = without(schema, ['title', 'examples', 'default']);
  delete copy.propertyNames;
  // A list's limits would become tuples.
  delete copy.minItems;
  delete copy.maxItems;
  if (copy.items !== undefined) copy.items = checked(copy.items);
  if (typeof copy.additionalProperties === 'object')
    copy.additionalProperties = checked(copy.additionalProperties);
  if (copy.properties !== undefined) {
    // In TypeScript, the types of named keys must fit the index signature.
    if (typeof copy.additionalProperties === 'object') {
      copy.additionalProperties = {
        anyOf: [copy.additionalProperties, ...Object.values(copy.properties).map(checked)],
      };
    }
    const entries = Object.entries(copy.properties);
    const filled = entries.filter(([, property]) => property.default !== undefined).map(([key]) => key);
    copy.required = [...new Set([...(copy.required ?? []), ...filled])];
    copy.properties = Object.fromEntries(entries.map(([key, property]) => [key, checked(property)]));
  }
  return copy;
}

function without(object, keys) {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}
