import type { Mark } from '../source/mark.js';
import { isMapping } from '../source/merge.js';
import { below, displayPath, type Pointer } from '../source/pointer.js';
import { formatPlace } from '../source/problems.js';
import { schemaFacts } from '../schema/schema-facts.js';
import type { Source } from '../source/source.js';
import type { JsonObject, JsonValue } from '../types.js';

/** Replaces a secret. No key that holds a secret accepts this text. */
const HIDDEN = '(not shown)';

/**
 * A checked configuration for display: keys of the file, in the order of the schema. A value that contains a
 * variable is shown as it was written. A secret is not shown.
 */
export function shownConfig(source: Source): JsonObject {
  return shownValue(source, '', withoutEnvironments(source)) as JsonObject;
}

function withoutEnvironments({ value }: Source): JsonObject {
  const entries = isMapping(value) ? Object.entries(value) : [];
  return Object.fromEntries(entries.filter(([key]) => key !== 'environments'));
}

/** One value for display. Written to a file, the result means the same value. */
export function shownValue(source: Source, pointer: Pointer, value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((item, i) => shownValue(source, below(pointer, i), item));
  if (isMapping(value)) {
    return Object.fromEntries(
      inOrder(pointer, value).map(([key, part]) => [key, shownValue(source, below(pointer, key), part)]),
    );
  }
  const template = source.marks.get(pointer)?.template;
  if (template !== undefined) return template;
  if (typeof value !== 'string') return value;
  if (value !== '' && schemaFacts(pointer).writeOnly === true) return HIDDEN;
  return value.replaceAll('${', () => '$${');
}

/** Names chosen by the user keep their order. The keys of the schema follow in the schema's order. */
function inOrder(pointer: Pointer, value: JsonObject): [string, JsonValue][] {
  const known = Object.keys(schemaFacts(pointer).properties ?? {});
  const own = Object.entries(value).filter(([key]) => !known.includes(key));
  return [
    ...own,
    ...known
      .filter((key) => Object.hasOwn(value, key))
      .map((key) => [key, value[key] ?? null] as [string, JsonValue]),
  ];
}

export type ValueOrigin = { readonly variables?: readonly string[] } & (
  | { readonly from: 'default' }
  | {
      readonly from: 'file';
      readonly file: string;
      readonly line: number | null;
      readonly column: number | null;
    }
  | {
      readonly from: 'environment';
      readonly environment: string;
      readonly file: string;
      readonly line: number | null;
      readonly column: number | null;
    }
  | { readonly from: 'variable'; readonly variable: string }
  | { readonly from: 'flag'; readonly flag: string }
);

export function originOf(source: Source, pointer: Pointer): ValueOrigin {
  const mark = source.marks.get(pointer);
  if (mark === undefined) return { from: 'default' };
  const { variables = [] } = mark;
  return { ...layerOrigin(mark), ...(variables.length > 0 ? { variables } : undefined) };
}

function layerOrigin({ layer, value: { file, line, column } }: Mark): ValueOrigin {
  switch (layer.kind) {
    case 'file':
      return { from: 'file', file, line, column };
    case 'environment':
      return { from: 'environment', environment: layer.name, file, line, column };
    case 'variable':
      return { from: 'variable', variable: layer.name };
    case 'flag':
      return { from: 'flag', flag: layer.name };
  }
}

/** `variable PORT, backworks.yaml:3:9` */
export function formatOrigin(origin: ValueOrigin): string {
  const filled = (origin.variables ?? []).map((name) => `variable ${name}`);
  return [...filled, layerText(origin)].join(', ');
}

function layerText(origin: ValueOrigin): string {
  switch (origin.from) {
    case 'default':
      return 'default';
    case 'file':
      return formatPlace(origin);
    case 'environment':
      return `environment ${origin.environment} ${formatPlace(origin)}`;
    case 'variable':
      return `variable ${origin.variable}`;
    case 'flag':
      return `flag ${origin.flag}`;
  }
}

/** The origin of every value except non-empty mappings, by path. */
export function originsOf(source: Source): Record<string, ValueOrigin> {
  const origins: [string, ValueOrigin][] = [];
  const visit = (pointer: Pointer, value: JsonValue): void => {
    if (isMapping(value) && Object.keys(value).length > 0) {
      for (const [key, part] of inOrder(pointer, value)) visit(below(pointer, key), part);
    } else {
      origins.push([displayPath(pointer), originOf(source, pointer)]);
    }
  };
  visit('', withoutEnvironments(source));
  return Object.fromEntries(origins);
}
