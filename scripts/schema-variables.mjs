/**
 * A value may be a variable, as in `port: ${PORT}`, whatever its key asks for. Editors have to know that;
 * the server fills variables in first, and src/config/schema/schema.ts takes the alternative out again.
 */

const VARIABLE = { $ref: '#/definitions/variable' };

/** What is said of a key rather than of its values. */
const ANNOTATIONS = ['title', 'description', 'default', 'examples', 'writeOnly'];

/** Where a name is a key, which cannot be a variable. */
const KEYS = ['name'];

/** The schema with a variable as the alternative to every value whose form is checked. */
export function withVariables(schema) {
  const definitions = change(schema.definitions, (definition, name) =>
    name === 'variable' || KEYS.includes(name) ? definition : withAlternative(definition),
  );
  return { ...schema, properties: change(schema.properties, withAlternative), definitions };
}

function withAlternative(schema) {
  const copy = { ...schema };
  if (copy.properties !== undefined) copy.properties = change(copy.properties, withAlternative);
  if (typeof copy.additionalProperties === 'object') {
    copy.additionalProperties = withAlternative(copy.additionalProperties);
  }
  if (copy.items !== undefined) copy.items = withAlternative(copy.items);
  if (!isChecked(copy)) return copy;
  const annotation = ([key]) => ANNOTATIONS.includes(key);
  const value = Object.fromEntries(Object.entries(copy).filter((entry) => !annotation(entry)));
  return { ...Object.fromEntries(Object.entries(copy).filter(annotation)), anyOf: [value, VARIABLE] };
}

/** A text of any form may be a variable already; a mapping or a list cannot come from one. */
function isChecked({ type, enum: values, pattern }) {
  if (type === undefined || type === 'object' || type === 'array') return false;
  return type !== 'string' || values !== undefined || pattern !== undefined;
}

function change(object, how) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, how(value, key)]));
}
