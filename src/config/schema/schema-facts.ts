import { type Pointer, segments } from '../source/pointer.js';
import { filledSchema } from './published-schema.js';

/** What the schema says about one key. */
export interface SchemaFacts {
  readonly writeOnly?: boolean;
  readonly uniqueItems?: boolean;
  /** The definition the key refers to, such as "duration". */
  readonly definition?: string;
  /** The keys that are allowed below this key. */
  readonly properties?: Readonly<Record<string, unknown>>;
}

interface SchemaNode extends SchemaFacts {
  readonly $ref?: string;
  readonly allOf?: readonly SchemaNode[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: boolean | SchemaNode;
  readonly items?: SchemaNode;
  readonly definitions?: Readonly<Record<string, SchemaNode>>;
}

let root: SchemaNode | undefined;

/**
 * What the schema says about a key of the file. Empty for a key that the schema leaves open, such as a
 * plugin's own.
 */
export function schemaFacts(pointer: Pointer): SchemaFacts {
  root ??= filledSchema() as SchemaNode;
  let node: SchemaNode | undefined = root;
  for (const segment of segments(pointer)) {
    if (node === undefined) return {};
    node = resolved(child(node, segment), root);
  }
  return node ?? {};
}

function child(node: SchemaNode, segment: string): SchemaNode | undefined {
  const { properties = {}, additionalProperties: named, items } = node;
  if (Object.hasOwn(properties, segment)) return properties[segment];
  return typeof named === 'object' ? named : items;
}

function resolved(node: SchemaNode | undefined, { definitions }: SchemaNode): SchemaNode | undefined {
  const reference = node?.$ref ?? node?.allOf?.[0]?.$ref;
  if (reference === undefined) return node;
  const definition = reference.slice('#/definitions/'.length);
  return { ...definitions?.[definition], ...node, definition };
}
