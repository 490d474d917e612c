import { isNode, isPair, isScalar, type YAMLMap } from 'yaml';

/** A piece of a text and its replacement. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

type Value = string | boolean | { readonly [key: string]: Value };
type Mapping = YAMLMap<unknown, unknown>;

/** Replaces the value of a key. The old value must be on one line. */
export function replaceValue(map: Mapping, key: string, value: string): Splice {
  const { start, end } = spanOf(pairOf(map, key).value);
  return { start, end, text: value };
}

/** Adds a key at the end of a mapping, in the style of the mapping (block or flow). */
export function addPair(text: string, map: Mapping, key: string, value: object | boolean): Splice {
  const last = map.items.at(-1);
  if (map.flow === true) {
    const pair = `${scalar(key)}: ${inline(value as Value)}`;
    const { start, end } = spanOf(map);
    if (last === undefined) return { start, end, text: `{ ${pair} }` };
    const at = endOf(last);
    return { start: at, end: at, text: `, ${pair}` };
  }
  const first = map.items[0];
  if (first === undefined || last === undefined) throw new TypeError('a block mapping has a key');
  const start = spanOf(first.key).start;
  const indent = ' '.repeat(start - lineStart(text, start));
  // After the last line of the entry, its comment included, and before the text that follows.
  const end = lineEnd(text, text.slice(0, endOf(last)).trimEnd().length);
  return { start: end, end, text: `\n${block(key, value as Value, indent)}` };
}

/** Removes a key. */
export function removePair(text: string, map: Mapping, key: string): Splice {
  const index = map.items.findIndex((item) => isScalar(item.key) && item.key.value === key);
  const pair = map.items[index];
  if (pair === undefined) throw new TypeError(`there is no ${key}`);
  const [before, after] = [map.items[index - 1], map.items[index + 1]];
  if (before === undefined && after === undefined)
    return { ...spanOf(map), text: map.flow === true ? '{}' : '{}\n' };
  const { start } = spanOf(pair.key);
  if (map.flow === true) {
    if (after !== undefined) return { start, end: spanOf(after.key).start, text: '' };
    return { start: before === undefined ? start : endOf(before), end: endOf(pair), text: '' };
  }
  const end = lineEnd(text, text.slice(0, endOf(pair)).trimEnd().length);
  return { start: lineStart(text, start), end: Math.min(end + 1, text.length), text: '' };
}

function pairOf(map: Mapping, key: string): Mapping['items'][number] {
  const pair = map.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key);
  if (pair === undefined) throw new TypeError(`there is no ${key}`);
  return pair;
}

/** Offsets of the first character and of the end of the node. */
function spanOf(node: unknown): { start: number; end: number } {
  if (!isNode(node) || !node.range) throw new TypeError('a node without a place');
  return { start: node.range[0], end: node.range[1] };
}

function endOf({ key, value }: Mapping['items'][number]): number {
  return isNode(value) && value.range ? spanOf(value).end : spanOf(key).end + 1;
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

function lineEnd(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end === -1 ? text.length : end;
}

function block(key: string, value: Value, indent: string): string {
  if (typeof value !== 'object') return `${indent}${scalar(key)}: ${inline(value)}`;
  const lines = Object.entries(value).map(([name, part]) => block(name, part, `${indent}  `));
  return [`${indent}${scalar(key)}:`, ...lines].join('\n');
}

function inline(value: Value): string {
  if (typeof value === 'string') return scalar(value);
  if (typeof value === 'boolean') return String(value);
  return `{ ${Object.entries(value)
    .map(([key, part]) => `${scalar(key)}: ${inline(part)}`)
    .join(', ')} }`;
}

/** Text that YAML reads as the same string in any position. */
function scalar(text: string): string {
  const isPlain =
    /^[a-zA-Z./][\w./-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|[.]inf|[.]nan)$/i.test(text);
  return isPlain ? text : JSON.stringify(text);
}
