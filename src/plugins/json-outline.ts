import { isAscii } from 'node:buffer';
import { checkAndList, listMembers, MEMBER_FIELDS, MemberField } from '../native/json-check.js';
import { JsonFact } from './json-check.js';
import { DOCUMENT_DEPTH_MAX, JSON_DEPTH_MAX } from './json-depth.js';

/** Longer texts are decoded in parts, when a part is needed. */
const TEXT_BYTES_MAX = 4 * 1024;

const QUOTE = 0x22;
const BRACE = 0x7b;
const BRACKET = 0x5b;
const NULL = 0x6e;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** The kind of a JSON value. The first character decides. */
export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'null' | 'boolean';

function kindOf(first: number): JsonKind {
  if (first === QUOTE) return 'string';
  if (first === BRACE) return 'object';
  if (first === BRACKET) return 'array';
  if (first === NULL) return 'null';
  return first === MINUS || (first >= ZERO && first <= NINE) ? 'number' : 'boolean';
}

/**
 * A JSON text with the positions of the members of its objects. Values are not parsed before they are read, so that
 * numbers keep their digits and objects keep the order and duplicates of their members.
 *
 * Members are numbered in the order of the text. The members of a nested object follow the member whose value is
 * that object. The contents of arrays are not listed.
 */
export class JsonOutline {
  /** Number of members, at all levels. */
  readonly count: number;
  /** Offset of the first byte of the outermost value. */
  readonly start: number;
  /** The text as a string whose indexes are byte offsets; null if the text is long or not ASCII. */
  private readonly ascii: string | null;

  private constructor(
    readonly bytes: Buffer,
    /** Flags of `JsonFact`. */
    readonly facts: number,
    private readonly table: ArrayLike<number>,
  ) {
    this.count = table.length / MEMBER_FIELDS;
    this.ascii = bytes.length <= TEXT_BYTES_MAX && isAscii(bytes) ? bytes.toString('latin1') : null;
    let start = 0;
    while (bytes[start]! <= 0x20) start += 1;
    this.start = start;
  }

  /**
   * @param bytes must not change afterwards
   * @param levels depth of nested objects whose members are listed
   * @returns the outline, or flags of `JsonFact` without VALID if the text is not JSON or nests too deep
   */
  static of(bytes: Buffer, levels = DOCUMENT_DEPTH_MAX): JsonOutline | number {
    const { facts, table } = listMembers(bytes, DOCUMENT_DEPTH_MAX, levels);
    return (facts & JsonFact.VALID) === 0 ? facts : new JsonOutline(bytes, facts, table);
  }

  /** The same for a text whose members were listed when it was checked. */
  static from({ bytes, facts, table }: ListedJson): JsonOutline {
    return new JsonOutline(bytes, facts, table);
  }

  /** The kind of the outermost value. */
  get kind(): JsonKind {
    return kindOf(this.bytes[this.start]!);
  }

  /** The outermost object, or null if the text is another value. */
  object(): JsonMembers | null {
    return this.bytes[this.start] === BRACE ? { outline: this, first: 0, stop: this.count } : null;
  }

  /** The object that is a member's value, or null if the value is not an object. */
  objectAt(index: number): JsonMembers | null {
    if (this.bytes[this.valueStart(index)] !== BRACE) return null;
    return { outline: this, first: index + 1, stop: this.after(index) };
  }

  /** Index of the next member that is not part of this member's value. */
  after(index: number): number {
    return this.field(index, MemberField.AFTER);
  }

  /** Nesting level of a member; 1 for a member of the outermost object. */
  level(index: number): number {
    return this.field(index, MemberField.SHAPE) >> 1;
  }

  nameStart(index: number): number {
    return this.field(index, MemberField.NAME);
  }

  nameEnd(index: number): number {
    return this.field(index, MemberField.NAME_END);
  }

  valueStart(index: number): number {
    return this.field(index, MemberField.VALUE);
  }

  valueEnd(index: number): number {
    return this.field(index, MemberField.VALUE_END);
  }

  valueKind(index: number): JsonKind {
    return kindOf(this.bytes[this.valueStart(index)]!);
  }

  /** A member's name, unescaped. */
  name(index: number): string {
    const written = this.slice(this.nameStart(index), this.nameEnd(index));
    return this.nameHasEscapes(index) ? (JSON.parse(`"${written}"`) as string) : written;
  }

  /** Whether two members have the same name after unescaping. */
  sameName(index: number, other: JsonOutline, otherIndex: number): boolean {
    if (this.nameHasEscapes(index) || other.nameHasEscapes(otherIndex))
      return this.name(index) === other.name(otherIndex);
    const start = this.nameStart(index);
    const length = this.nameEnd(index) - start;
    const otherStart = other.nameStart(otherIndex);
    if (other.nameEnd(otherIndex) - otherStart !== length) return false;
    for (let at = 0; at < length; at += 1)
      if (this.bytes[start + at] !== other.bytes[otherStart + at]) return false;
    return true;
  }

  /** The text of a member's value. */
  valueText(index: number): string {
    return this.slice(this.valueStart(index), this.valueEnd(index));
  }

  /** A member's string value, unescaped. The value must be a string. */
  string(index: number): string {
    const start = this.valueStart(index);
    const end = this.valueEnd(index);
    return unquoted(this.slice(start, end));
  }

  /** Part of the text. Neither offset may lie within a multi-byte character. */
  slice(start: number, end: number): string {
    return this.ascii === null ? this.bytes.toString('utf8', start, end) : this.ascii.slice(start, end);
  }

  private nameHasEscapes(index: number): boolean {
    return (this.field(index, MemberField.SHAPE) & 1) !== 0;
  }

  private field(index: number, field: number): number {
    return this.table[index * MEMBER_FIELDS + field]!;
  }
}

/** A JSON text whose outermost members were listed in the pass that checked it. */
export interface ListedJson {
  /** Must not change afterwards. */
  readonly bytes: Buffer;
  readonly facts: number;
  readonly table: ArrayLike<number>;
}

/**
 * Checks a text that a patch may change later, and lists its outermost members in the same pass.
 * @returns facts of `JsonFact`; `listed` is null when it is not JSON, or has too many members to keep a list
 */
export function checkForPatch(bytes: Buffer): { readonly facts: number; readonly listed: ListedJson | null } {
  const { facts, table } = checkAndList(bytes, JSON_DEPTH_MAX, 1);
  const usable = table !== null && (facts & JsonFact.VALID) !== 0;
  return { facts, listed: usable ? { bytes, facts, table } : null };
}

/** The value of a JSON string with its quotes. */
export function unquoted(json: string): string {
  return json.includes('\\') ? (JSON.parse(json) as string) : json.slice(1, -1);
}

/** The members of one object: from `first` up to `stop` (exclusive), each followed by the members of its value. */
export interface JsonMembers {
  readonly outline: JsonOutline;
  readonly first: number;
  readonly stop: number;
}

/** Index of the last member with a name, because JSON parsers use the last duplicate; -1 if there is none. */
export function findMember({ outline, first, stop }: JsonMembers, name: string): number {
  let found = -1;
  for (let index = first; index < stop; index = outline.after(index))
    if (outline.name(index) === name) found = index;
  return found;
}

export function bytesOf(text: Buffer | string): Buffer {
  return typeof text === 'string' ? Buffer.from(text) : text;
}
