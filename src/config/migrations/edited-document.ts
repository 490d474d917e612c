import {
  Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  type LineCounter,
  type Node,
  type Pair,
  Scalar,
  visit,
  YAMLMap,
} from 'yaml';
import { commentsWithin } from './comments.js';
import type { JsonValue } from '../types.js';

/** Something that a migration could not convert, or that the operator should check. */
export interface MigrationNote {
  /** Line in the original file. */
  readonly line: number;
  readonly message: string;
}

/** An entry of a mapping. The reader accepts only scalar keys. */
export interface Entry {
  readonly key: string;
  readonly value: unknown;
  readonly pair: Pair<unknown, unknown>;
}

/** Replaces aliases with copies of their values, so that each place can be changed independently. */
export function withoutAliases(document: Document): void {
  visit(document, {
    Alias: (_, alias) => {
      const copy = alias.resolve(document)?.clone();
      // The comments of the anchor stay at the anchor.
      if (isNode(copy)) withoutComments(copy, alias);
      if (isNode(copy) && !isAlias(copy)) delete copy.anchor;
      return copy as Node | undefined;
    },
  });
  visit(document, {
    Node: (_, node) => {
      if (!isAlias(node)) delete node.anchor;
    },
  });
}

/** Gives a copy the comments of the alias it replaces, and removes all others. */
function withoutComments(copy: Node, alias: Node): void {
  visit(copy, {
    Node: (_, node) => {
      delete node.comment;
      delete node.commentBefore;
    },
  });
  copy.comment = alias.comment ?? null;
  copy.commentBefore = alias.commentBefore ?? null;
}

/** A document while migrations change it. Comments and the order of keys are kept. */
export class EditedDocument {
  readonly notes: MigrationNote[] = [];

  constructor(
    readonly document: Document,
    private readonly lines: LineCounter,
  ) {}

  /** The root as a mapping; null for any other file. */
  get root(): YAMLMap | null {
    return this.mapping(this.document.contents);
  }

  mapping(node: unknown): YAMLMap | null {
    const target = isAlias(node) ? node.resolve(this.document) : node;
    return isMap(target) ? target : null;
  }

  entries(map: YAMLMap): Entry[] {
    return map.items.map((pair) => ({ key: textOf(pair.key), value: pair.value, pair }));
  }

  entry(map: YAMLMap, key: string): Entry | undefined {
    return this.entries(map).find((entry) => entry.key === key);
  }

  /**
   * The mapping at a key. A missing one is created at the end. Null when the key has another kind of value.
   */
  mappingAt(map: YAMLMap, key: string): YAMLMap | null {
    const entry = this.entry(map, key);
    if (entry !== undefined) return this.mapping(entry.value);
    const made = new YAMLMap();
    map.add(this.document.createPair(key, made));
    return made;
  }

  /** The plain value of a node. */
  value(node: unknown): JsonValue {
    const plain: unknown = isNode(node) ? node.toJS(this.document) : node;
    return (plain ?? null) as JsonValue;
  }

  /** A scalar as text; empty for any other node. */
  text(node: unknown): string {
    const value = this.value(node);
    return typeof value === 'object' ? '' : String(value);
  }

  rename(entry: Entry, key: string): void {
    if (isScalar(entry.pair.key)) {
      entry.pair.key.value = key;
      // The writer adds quotes where the new key needs them.
      delete entry.pair.key.source;
      entry.pair.key.type = Scalar.PLAIN;
    } else entry.pair.key = key;
  }

  setValue(entry: Entry, value: JsonValue): void {
    const { pair } = entry;
    const former = pair.value;
    const node = this.document.createNode(value);
    if (isScalar(former) && isScalar(node)) {
      node.comment = former.comment ?? null;
      node.commentBefore = former.commentBefore ?? null;
    } else this.addComments(pair, [], commentsWithin(former));
    if (Array.isArray(value) && isCollection(node)) node.flow = true;
    pair.value = node;
  }

  /** Removes an entry. Its comments stay in place. */
  delete(map: YAMLMap, { pair }: Entry): void {
    const index = map.items.indexOf(pair);
    const comments = commentsWithin(pair);
    this.detach(map, pair);
    const next = map.items[index];
    if (next !== undefined) this.addComments(next, comments, []);
    else if (comments.length > 0) map.comment = joined(map.comment, comments.join('\n'));
  }

  /** Removes an entry together with its comments. */
  detach(map: YAMLMap, pair: Pair<unknown, unknown>): void {
    map.items.splice(map.items.indexOf(pair), 1);
  }

  /** Adds comments above an entry, before and after its existing ones. */
  private addComments(
    pair: Pair<unknown, unknown>,
    before: readonly string[],
    after: readonly string[],
  ): void {
    if (before.length + after.length === 0) return;
    if (!isScalar(pair.key)) pair.key = new Scalar(textOf(pair.key));
    const { key } = pair;
    if (!isScalar(key)) return;
    const own = (key.commentBefore ?? '') === '' ? [] : [key.commentBefore];
    key.commentBefore = [...before, ...own, ...after].join('\n');
  }

  /**
   * Removes an entry and leaves it as a comment above `beside`.
   * @param beside an entry in a block mapping
   */
  commentOut(map: YAMLMap, entry: Entry, reason: string, beside: Entry | null): void {
    const line = this.lineOf(entry);
    this.note(line, `${entry.key}: ${reason}`);
    const scrap = new Document(new YAMLMap());
    scrap.add(entry.pair);
    const text = scrap.toString({ lineWidth: 0 }).trimEnd();
    this.commentAbove(beside, [`${NOT_MIGRATED} (line ${line}): ${reason}`, ...text.split('\n')]);
    this.detach(map, entry.pair);
  }

  commentAbove(beside: Entry | null, lines: readonly string[]): void {
    const text = lines.map((line) => ` ${line}`).join('\n');
    if (beside === null) {
      this.document.comment = joined(this.document.comment, text);
      return;
    }
    if (!isScalar(beside.pair.key)) beside.pair.key = new Scalar(beside.key);
    const { key } = beside.pair;
    if (!isScalar(key)) return;
    key.commentBefore = joined(key.commentBefore, text);
  }

  note(line: number, message: string): void {
    this.notes.push({ line, message });
  }

  lineOf({ pair }: Entry): number {
    const offset = isNode(pair.key) ? (pair.key.range?.[0] ?? 0) : 0;
    return Math.max(1, this.lines.linePos(offset).line);
  }
}

const NOT_MIGRATED = 'not migrated';

const textOf = (key: unknown): string => String(isScalar(key) ? key.value : key);

const joined = (before: string | null | undefined, text: string): string =>
  before === null || before === undefined || before === '' ? text : `${before}\n${text}`;
