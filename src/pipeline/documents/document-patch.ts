import type { JsonObject, JsonValue } from '../../config/types.js';
import type { JsonMembers, JsonOutline, ListedJson } from '../../plugins/json-outline.js';
import type { HeaderMap } from '../../plugins/plugin.js';
import {
  HEADER_BYTES_MAX,
  InvalidAnswer,
  checkHeaderName,
  checkHeaderValue,
  checkHeaders,
  isFraming,
} from '../../plugins/response-check.js';
import { type JsonText, mergeMembers, mergeValue, PatchMembers } from './merge-patch.js';
import { isObject, setOwn } from './own-member.js';

/** A plugin's patch, with access to the members of the document. */
export class DocumentPatch {
  /** Name → index of the last member of that name. */
  private readonly named = new Map<string, number>();
  private readonly outline: JsonOutline;
  private readonly members: JsonMembers;
  /** The changes to headers, in the form of a patch; empty when the patch does not name them. */
  readonly change: JsonObject = {};

  /** @throws InvalidAnswer when its headers cannot be sent */
  constructor(members: JsonMembers) {
    const { outline, first, stop } = members;
    this.outline = outline;
    this.members = members;
    for (let index = first; index < stop; index = outline.after(index))
      this.named.set(outline.name(index), index);
    const headers = this.index('headers');
    if (headers !== -1) this.change.headers = readHeaders(outline, headers);
  }

  /** Whether it names headers and context only, and its context is an object: its headers are checked already. */
  get cannotFail(): boolean {
    for (const [name, index] of this.named) {
      if (name === 'context' && this.outline.valueKind(index) === 'object') continue;
      if (name !== 'headers') return false;
    }
    return true;
  }

  has(name: string): boolean {
    return this.named.has(name);
  }

  isNull(name: string): boolean {
    const index = this.index(name);
    return index !== -1 && this.outline.valueKind(index) === 'null';
  }

  /** A member's value as JavaScript, for members without numbers; undefined when the patch does not name it. */
  value(name: string): JsonValue | undefined {
    const index = this.index(name);
    return index === -1 ? undefined : (JSON.parse(this.outline.valueText(index)) as JsonValue);
  }

  /**
   * A member of the document after the patch. The patch must name the member, and not with null.
   * @param listed what is known of the target's members
   */
  applied(name: string, target: JsonText, listed: ListedJson | null = null): JsonText {
    return mergeValue(target, this.outline, this.index(name), listed);
  }

  /**
   * An object member of the document after the patch; empty when the patch removes it.
   * @throws InvalidAnswer when the patched value is not an object
   */
  appliedObject(name: string, target: string): string {
    if (!this.has(name)) return target;
    if (this.isNull(name)) return '{}';
    if (this.outline.valueKind(this.index(name)) !== 'object')
      throw new InvalidAnswer(`${name} is not an object`);
    return this.applied(name, target).toString();
  }

  setsHeader(name: string): boolean {
    const { headers } = this.change;
    return isObject(headers) && Object.hasOwn(headers, name) && headers[name] !== null;
  }

  /** A copy of the headers after the patch. */
  appliedHeaders(headers: Readonly<HeaderMap>): HeaderMap {
    const change = this.change.headers as Record<string, string | string[] | null> | null | undefined;
    if (change === null) return {};
    const result = { ...headers };
    for (const name in change) {
      const value = change[name]!;
      if (value === null) delete result[name];
      // Checked names do not include "__proto__".
      else result[name] = value;
    }
    return result;
  }

  /**
   * The members that the document does not define, as one object, after the patch.
   * @param defined names of the members the document defines
   */
  appliedRest(defined: ReadonlySet<string>, target: string): string {
    const outline = this.outline;
    const isRest = (index: number): boolean => !defined.has(outline.name(index));
    for (const name of this.named.keys()) {
      if (!defined.has(name)) return mergeMembers(target, new PatchMembers(this.members, isRest)).toString();
    }
    return target;
  }

  private index(name: string): number {
    return this.named.get(name) ?? -1;
  }
}

/** Checked headers of a patch, names in lower case, without framing headers; null removes a header. */
function readHeaders(outline: JsonOutline, index: number): JsonObject | null {
  if (outline.valueKind(index) === 'null') return null;
  const members = outline.objectAt(index);
  if (members === null) throw new InvalidAnswer('headers are not an object');
  return plainHeaders(outline, members) ?? anyHeaders(outline, members);
}

/** This many headers cannot exceed the limit on the number of headers. */
const PLAIN_HEADERS_MAX = 16;

/** Headers that a patch sets to one text each, without an intermediate object; null for any other change. */
function plainHeaders(outline: JsonOutline, { first, stop }: JsonMembers): JsonObject | null {
  if (stop - first > PLAIN_HEADERS_MAX) return null;
  const change: JsonObject = {};
  for (let member = first; member < stop; member = outline.after(member)) {
    if (outline.valueKind(member) !== 'string') return null;
    if (outline.valueEnd(member) - outline.nameStart(first) > HEADER_BYTES_MAX) return null;
    const name = checkHeaderName(outline.name(member));
    // A name that occurs twice, or one that every object has.
    if (change[name] !== undefined) return null;
    const value = checkHeaderValue(name, outline.string(member));
    if (!isFraming(name)) change[name] = value;
  }
  return change;
}

function anyHeaders(outline: JsonOutline, members: JsonMembers): JsonObject {
  const given: Record<string, unknown> = {};
  const removed = new Set<string>();
  for (let member = members.first; member < members.stop; member = outline.after(member)) {
    const name = outline.name(member);
    removed.delete(name);
    const kind = outline.valueKind(member);
    if (kind === 'string') setOwn(given, name, outline.string(member));
    else if (kind !== 'null') setOwn(given, name, JSON.parse(outline.valueText(member)) as unknown);
    else {
      delete given[name];
      removed.add(name);
    }
  }
  const change: JsonObject = checkHeaders(given);
  for (const name of removed) setOwn(change, name.toLowerCase(), null);
  for (const name of Object.keys(change)) if (isFraming(name)) delete change[name];
  return change;
}

/** The members of an assembled object, each preceded by a comma. */
export function moreMembers(object: string): string {
  const inside = object.slice(object.indexOf('{') + 1, object.lastIndexOf('}')).trim();
  return inside === '' ? '' : `,${inside}`;
}
