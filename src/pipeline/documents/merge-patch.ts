import { bytesOf, type JsonMembers, JsonOutline, type ListedJson } from '../../plugins/json-outline.js';

/**
 * Applies RFC 7396 merge patches to JSON text. Bytes that the patch does not name stay unchanged, including
 * every digit, the order of members, repeated names and white space.
 *
 * When several members have the same name, the last one counts, as for JSON parsers. A patched member takes
 * the position of the first member of that name, and the others are removed. New members follow the last one.
 */

/** JSON text; as UTF-8 bytes when it is long. */
export type JsonText = string | Buffer;

/** Shorter JSON is faster to process as a string. */
export const LONG_BYTES_MIN = 4 * 1024;

/** Long JSON as bytes, short JSON as a string. */
export function jsonText(bytes: Buffer): JsonText {
  return bytes.length < LONG_BYTES_MIN ? bytes.toString('utf8') : bytes;
}

/**
 * A value after a patch.
 * @param target valid JSON; undefined when there is no value yet
 * @param patch the member of a patch whose value is applied
 * @param listed what is known of the target's members
 */
export function mergeValue(
  target: JsonText | undefined,
  patch: JsonOutline,
  index: number,
  listed: ListedJson | null = null,
): JsonText {
  const members = patch.objectAt(index);
  if (members === null) return plainValue(patch, index);
  return mergeMembers(target, new PatchMembers(members), listed);
}

/** A member's value that replaces the old value, whatever that was. */
function plainValue(patch: JsonOutline, index: number): JsonText {
  const start = patch.valueStart(index);
  const end = patch.valueEnd(index);
  return end - start < LONG_BYTES_MIN ? patch.slice(start, end) : patch.bytes.subarray(start, end);
}

/**
 * An object after a patch.
 * @param target valid JSON; what is not an object counts as an empty one
 * @param listed what is known of the target's members
 */
export function mergeMembers(
  target: JsonText | undefined,
  patch: PatchMembers,
  listed: ListedJson | null = null,
): JsonText {
  const isEmpty = target === undefined || target === '{}';
  const outline = isEmpty ? null : outlineOf(target, patch.levels(), listed);
  if (typeof outline === 'number') throw new TypeError('the target of a patch is not JSON');
  const lengthMax = (outline?.bytes.length ?? 0) + patch.outline.bytes.length;
  const splice = lengthMax < LONG_BYTES_MIN ? new ShortSplice() : new LongSplice(lengthMax);
  const object = outline?.object() ?? null;
  if (outline === null || object === null) {
    addObject(splice, patch);
    return splice.result();
  }
  // White space around the object is kept.
  splice.add(outline, 0, outline.start);
  const end = endOf(outline);
  mergeObject(splice, object, outline.start, end, patch);
  splice.add(outline, end, outline.bytes.length);
  return splice.result();
}

/** @returns facts of `JsonFact` when the text is not JSON */
function outlineOf(text: JsonText, levels: number, listed: ListedJson | null): JsonOutline | number {
  const isListed = listed !== null && listed.bytes === text && levels === 1;
  return isListed ? JsonOutline.from(listed) : JsonOutline.of(bytesOf(text), levels);
}

/** Where the outermost value ends. */
function endOf({ bytes }: JsonOutline): number {
  let end = bytes.length;
  while (bytes[end - 1]! <= 0x20) end -= 1;
  return end;
}

/** Up to this many names are compared one by one; more names need a map. */
const COMPARED_NAMES_MAX = 8;

/** Members of an object of a patch, one for each name. */
export class PatchMembers {
  readonly outline: JsonOutline;
  /** Index of the effective member for each name, in the order in which the names first occur. */
  readonly indexes: number[] = [];
  private byName: Map<string, number> | null = null;

  /** @param members the members of an object. @param applies selects some of them; default: all */
  constructor({ outline, first, stop }: JsonMembers, applies?: (index: number) => boolean) {
    this.outline = outline;
    for (let index = first; index < stop; index = outline.after(index)) {
      if (applies !== undefined && !applies(index)) continue;
      const known = this.find(outline, index);
      if (known === -1) this.append(index);
      else this.indexes[known] = index;
    }
  }

  /** Position in `indexes` of the member with the same name as a member of another text; -1 for none. */
  find(other: JsonOutline, otherIndex: number): number {
    if (this.byName !== null) return this.byName.get(other.name(otherIndex)) ?? -1;
    for (let at = 0; at < this.indexes.length; at += 1)
      if (this.outline.sameName(this.indexes[at]!, other, otherIndex)) return at;
    return -1;
  }

  /** How many levels of objects in a target must be listed. */
  levels(): number {
    const { outline } = this;
    let deepest = 1;
    for (const index of this.indexes) {
      const level = outline.level(index);
      for (let inner = index + 1; inner < outline.after(index); inner += 1)
        deepest = Math.max(deepest, outline.level(inner) - level + 1);
    }
    return deepest;
  }

  private append(index: number): void {
    this.indexes.push(index);
    if (this.byName === null && this.indexes.length <= COMPARED_NAMES_MAX) return;
    this.byName ??= new Map(this.indexes.map((known, at) => [this.outline.name(known), at]));
    this.byName.set(this.outline.name(index), this.indexes.length - 1);
  }
}

/** A member of the target that the patch names. */
interface Hit {
  readonly index: number;
  /** Position in `indexes` of the patch's member. */
  readonly at: number;
  /** The member before it in the target, or -1. */
  readonly previous: number;
  /** How many members precede it. */
  readonly ordinal: number;
}

/** Writes an object of the target, bytes [start, end), with a patch applied. */
function mergeObject(
  splice: Splice,
  members: JsonMembers,
  start: number,
  end: number,
  patch: PatchMembers,
): void {
  const { outline, stop } = members;
  const { hits, last, counting } = findHits(members, patch);
  const replaced = new Set<number>();
  let done = start;
  let removed = 0;
  for (const { index, at, previous, ordinal } of hits) {
    const patchIndex = patch.indexes[at]!;
    if (replaced.has(at) || patch.outline.valueKind(patchIndex) === 'null') {
      // Removes the comma before the member, or, when no member is left before it, the text up to the next one.
      const next = outline.after(index);
      const leads = ordinal === removed;
      splice.add(outline, done, leads ? outline.nameStart(index) - 1 : outline.valueEnd(previous));
      done = leads && next < stop ? outline.nameStart(next) - 1 : outline.valueEnd(index);
      removed += 1;
    } else {
      splice.add(outline, done, outline.valueStart(index));
      addValue(splice, outline, counting.get(at)!, patch, patchIndex);
      done = outline.valueEnd(index);
    }
    replaced.add(at);
  }
  const tail = last.index === -1 ? start + 1 : outline.valueEnd(last.index);
  splice.add(outline, done, tail);
  let isFirst = last.ordinal + 1 === removed;
  patch.indexes.forEach((patchIndex, at) => {
    if (counting.has(at) || patch.outline.valueKind(patchIndex) === 'null') return;
    addMember(splice, patch, patchIndex, isFirst);
    isFirst = false;
  });
  splice.add(outline, tail, end);
}

/** Finds the members of the target that a patch names, and the last member. */
function findHits(
  { outline, first, stop }: JsonMembers,
  patch: PatchMembers,
): {
  readonly hits: readonly Hit[];
  readonly last: { readonly index: number; readonly ordinal: number };
  /** Position in the patch → the effective member of the target. */
  readonly counting: ReadonlyMap<number, number>;
} {
  const hits: Hit[] = [];
  const counting = new Map<number, number>();
  let previous = -1;
  let ordinal = 0;
  for (let index = first; index < stop; index = outline.after(index)) {
    const at = patch.find(outline, index);
    if (at !== -1) {
      hits.push({ index, at, previous, ordinal });
      counting.set(at, index);
    }
    previous = index;
    ordinal += 1;
  }
  return { hits, last: { index: previous, ordinal: ordinal - 1 }, counting };
}

/** Writes the value of a target's member with a patch applied. The patch's value is not null. */
function addValue(
  splice: Splice,
  target: JsonOutline,
  targetIndex: number,
  { outline }: PatchMembers,
  patchIndex: number,
): void {
  const patched = outline.objectAt(patchIndex);
  const given = target.objectAt(targetIndex);
  if (patched === null) splice.add(outline, outline.valueStart(patchIndex), outline.valueEnd(patchIndex));
  else if (given === null) addObject(splice, new PatchMembers(patched));
  else {
    const end = target.valueEnd(targetIndex);
    mergeObject(splice, given, target.valueStart(targetIndex), end, new PatchMembers(patched));
  }
}

/** Writes an object of a patch for which the target has no object: null members are left out. */
function addObject(splice: Splice, patch: PatchMembers): void {
  let isFirst = true;
  splice.addText('{');
  for (const index of patch.indexes) {
    if (patch.outline.valueKind(index) === 'null') continue;
    addMember(splice, patch, index, isFirst);
    isFirst = false;
  }
  splice.addText('}');
}

function addMember(splice: Splice, { outline }: PatchMembers, index: number, isFirst: boolean): void {
  const object = outline.objectAt(index);
  if (!isFirst) splice.addText(',');
  splice.add(outline, outline.nameStart(index) - 1, outline.nameEnd(index) + 1);
  splice.addText(':');
  if (object === null) splice.add(outline, outline.valueStart(index), outline.valueEnd(index));
  else addObject(splice, new PatchMembers(object));
}

/** Assembles a text from parts of others. */
interface Splice {
  add(outline: JsonOutline, start: number, end: number): void;
  addText(text: string): void;
  result(): JsonText;
}

class ShortSplice implements Splice {
  private text = '';

  add(outline: JsonOutline, start: number, end: number): void {
    if (end > start) this.text += outline.slice(start, end);
  }

  addText(text: string): void {
    this.text += text;
  }

  result(): string {
    return this.text;
  }
}

class LongSplice implements Splice {
  private readonly bytes: Buffer;
  private length = 0;

  /** @param lengthMax at least the length of target and patch together; no result is longer */
  constructor(lengthMax: number) {
    this.bytes = Buffer.allocUnsafe(lengthMax);
  }

  add({ bytes }: JsonOutline, start: number, end: number): void {
    this.length += bytes.copy(this.bytes, this.length, start, end);
  }

  addText(text: string): void {
    this.length += this.bytes.write(text, this.length, 'latin1');
  }

  result(): JsonText {
    return jsonText(this.bytes.subarray(0, this.length));
  }
}
