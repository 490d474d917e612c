import { stringify } from 'yaml';
import { isMapping } from '../source/merge.js';
import type { JsonObject, JsonValue } from '../types.js';
import { expectation } from './explain.js';
import { resolveReference } from './references.js';
import { sampleOf } from './sample.js';

/** What a template is built from. The texts come from the library. */
export interface TemplateFacts {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** The path as the file is to show it. */
  readonly path: string;
  readonly priority: number | null;
  readonly critical: boolean | null;
  readonly maxExecutionTimeMs: number | null;
  readonly permissions: JsonObject | null;
  /** A vetted schema. */
  readonly configSchema: JsonObject | null;
}

/** Editors look for this line at the beginning of a file. It has no effect in the middle. */
const MODELINE = '# yaml-language-server: $schema=./node_modules/backworks/schema/backworks.v1.json';
const COMMENT_CHARACTERS_MAX = 400;
/** Depth of nested blocks that are written out with comments. */
const DEPTH_MAX = 6;

/** A `plugins:` block for a library: required settings are keys, optional ones are comments. */
export function pluginTemplate(facts: TemplateFacts): string {
  const { name, version, description, path, priority, critical, maxExecutionTimeMs, permissions } = facts;
  const recommended = {
    ...(priority === null ? {} : { priority }),
    ...(critical === null ? {} : { critical }),
    ...(maxExecutionTimeMs === null ? {} : { timeouts: { call: `${maxExecutionTimeMs}ms` } }),
  };
  const body = [
    ...comment(`${name} ${version}${description === '' ? '' : `: ${description}`}`),
    ...yaml({ path }),
    ...(Object.keys(recommended).length === 0 ? [] : comment('Recommended by the library, and its default:')),
    ...commented(yaml(recommended)),
    ...(permissions === null
      ? []
      : comment('Requested by the library. The plugin gets only what you grant:')),
    ...commented(yaml(permissions === null ? {} : { permissions })),
    ...configLines(facts.configSchema),
  ];
  return [MODELINE, 'plugins:', ...indented([`${keyText(name)}:`, ...indented(body)])].join('\n') + '\n';
}

function configLines(schema: JsonObject | null): string[] {
  if (schema === null)
    return [...comment('The library has no schema for its configuration.'), '# config: {}'];
  const writer = new SchemaWriter(schema);
  const required = requiredKeys(resolveReference(schema, schema)).length > 0;
  return writer.entry('config', schema, { required, written: required }, 0);
}

interface Standing {
  /** The schema requires the key. */
  readonly required: boolean;
  /** The key is written as a key, not as a comment. */
  readonly written: boolean;
}

class SchemaWriter {
  constructor(private readonly root: JsonObject) {}

  entry(key: string, given: JsonValue, { required, written }: Standing, depth: number): string[] {
    const schema = resolveReference(this.root, given);
    const children = this.children(schema, depth);
    const lines =
      children === null
        ? yaml({ [key]: escaped(sampleOf(schema, (part) => resolveReference(this.root, part))) })
        : [`${keyText(key)}:`, ...indented(children)];
    const about = depth === 0 ? [] : this.about(schema, required);
    return [...about, ...(written ? lines : commented(lines))];
  }

  /** The keys of an object. Null for any other value, and for an object without keys to write. */
  private children(schema: JsonObject, depth: number): string[] | null {
    const { properties } = schema;
    if (!isMapping(properties) || Object.keys(properties).length === 0 || depth >= DEPTH_MAX) return null;
    const required = requiredKeys(schema);
    const known = Object.entries(properties);
    // Inside a comment, every key is written out.
    const none = !known.some(([key]) => required.includes(key));
    return known.flatMap(([key, part]) => {
      const isRequired = required.includes(key);
      return this.entry(key, part, { required: isRequired, written: none || isRequired }, depth + 1);
    });
  }

  private about(schema: JsonObject, required: boolean): string[] {
    const { title, description = title } = schema;
    const rule = expectation(schema);
    const sentence = rule === 'a value' ? '' : `${rule.charAt(0).toUpperCase()}${rule.slice(1)}. `;
    const value = schema['default'] === undefined ? '' : `Default: ${JSON.stringify(schema['default'])}.`;
    const facts = `${required ? 'Required. ' : ''}${sentence}${value}`.trim();
    return [...(typeof description === 'string' ? comment(description) : []), ...comment(facts)];
  }
}

function requiredKeys({ required }: JsonObject): string[] {
  return Array.isArray(required) ? required.filter((key) => typeof key === 'string') : [];
}

/** Escapes `${` so that a text of the library is not read as a variable. */
function escaped(value: JsonValue): JsonValue {
  if (typeof value === 'string') return value.replaceAll('${', '$${');
  if (Array.isArray(value)) return value.map(escaped);
  if (!isMapping(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, escaped(part)]));
}

function yaml(value: JsonObject): string[] {
  if (Object.keys(value).length === 0) return [];
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd().split('\n');
}

const keyText = (key: string): string =>
  stringify({ [key]: null }, { lineWidth: 0 }).replace(/: null\n$/, '');

const indented = (lines: readonly string[]): string[] =>
  lines.map((line) => (line === '' ? '' : `  ${line}`));

const commented = (lines: readonly string[]): string[] => lines.map((line) => `# ${line}`);

function comment(text: string): string[] {
  const short = text.length > COMMENT_CHARACTERS_MAX ? `${text.slice(0, COMMENT_CHARACTERS_MAX)}…` : text;
  const lines = short.split(/[\n\r\u0085\u2028\u2029]+/).map((line) => line.replace(/\p{C}/gu, '').trim());
  return commented(lines.filter((line) => line !== ''));
}
