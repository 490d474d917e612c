/** The schema definitions for the content of an overlay. */

const PREFIX = '#/definitions/';
/** Keys that describe the file and not the server. An overlay cannot contain them. */
const OF_THE_FILE = ['config_version', 'environments'];

const overlayName = (name) => `overlay${name[0].toUpperCase()}${name.slice(1)}`;

/**
 * The schema with its overlay definitions generated again. They repeat the schema, but no key is required,
 * there are no defaults, and null is allowed wherever a value can be removed.
 */
export function withOverlays(schema) {
  const own = Object.fromEntries(
    Object.entries(schema.definitions).filter(([name]) => !name.startsWith('overlay')),
  );
  const adopted = {};
  const adopt = (reference) => {
    const name = reference.slice(PREFIX.length);
    if (!Object.hasOwn(adopted, overlayName(name))) {
      // The name is reserved first, because a definition may refer to itself.
      adopted[overlayName(name)] = {};
      adopted[overlayName(name)] = partial(own[name], adopt);
    }
    return PREFIX + overlayName(name);
  };
  const { properties } = schema;
  const kept = Object.fromEntries(Object.entries(properties).filter(([key]) => !OF_THE_FILE.includes(key)));
  const overlay = {
    title: 'Overlay',
    description: 'What differs in an environment. A null removes a value of the file.',
    type: 'object',
    additionalProperties: false,
    examples: [{ server: { port: 80 } }],
    properties: partialEntries(kept, adopt),
  };
  return { ...schema, definitions: { ...own, overlay, ...adopted } };
}

function partial(schema, adopt) {
  const copy = JSON.parse(JSON.stringify(schema));
  delete copy.required;
  delete copy.default;
  if (copy.type !== undefined) copy.type = [copy.type, 'null'].flat();
  if (copy.enum !== undefined) copy.enum.push(null);
  if (copy.$ref !== undefined) copy.$ref = adopt(copy.$ref);
  if (copy.anyOf !== undefined) copy.anyOf[0] = partial(copy.anyOf[0], adopt);
  if (copy.allOf !== undefined) copy.allOf = copy.allOf.map((part) => partial(part, adopt));
  if (copy.properties !== undefined) copy.properties = partialEntries(copy.properties, adopt);
  if (typeof copy.additionalProperties === 'object') {
    copy.additionalProperties = partial(copy.additionalProperties, adopt);
  }
  return copy;
}

function partialEntries(properties, adopt) {
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, partial(value, adopt)]));
}
