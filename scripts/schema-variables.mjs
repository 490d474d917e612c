/**
 * Allows a variable in place of every value, as in `port: ${PORT}`, whatever type the key has. Editors need
 * this. The server fills variables in first, so src/config/schema/published-schema.ts removes the alternative again.
 */

const VARIABLE = { $ref: '#/definitions/variable' };

/** Keywords that describe a key and not its values. */
const ANNOTATIONS = ['title', 'description', 'default', 'examples', 'writeOnly'];

/** Keywords whose value is about keys. A key cannot be a variable. */
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

/** A free-form string already allows a variable. A mapping or a list cannot come from a variable. */
function isChecked({ type, enum: values, pattern }) {
  if (type === undefined || type === 'object' || type === 'array') return false;
  return type !== 'string' || values !== undefined || pattern !== undefined;
}

function change(object, how) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, how(value, key)]));
}
