import type { JsonObject, JsonValue } from '../../config/types.js';
import type { JsonMembers, JsonOutline } from '../../plugins/json-outline.js';
import type { HeaderMap } from '../../plugins/plugin.js';
import { InvalidAnswer, checkHeaders, isFraming } from '../../plugins/response-check.js';
import { type JsonText, mergeMembers, mergeValue, PatchMembers } from './merge-patch.js';
import { isObject, setOwn } from './own-member.js';

/** A plugin's patch, by the members of the document. */
export class DocumentPatch {
  /** Name → index of the last member of that name. */
  private readonly named = new Map<string, number>();
  private readonly outline: JsonOutline;
  private readonly members: JsonMembers;
  /** What it changes in the headers, in the shape of a patch; empty when it does not name them. */
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

  has(name: string): boolean {
    return this.named.has(name);
  }

  isNull(name: string): boolean {
    const index = this.index(name);
    return index !== -1 && this.outline.valueKind(index) === 'null';
  }

  /** A member without numbers, or whose numbers do not matter; undefined when it is not named. */
  value(name: string): JsonValue | undefined {
    const index = this.index(name);
    return index === -1 ? undefined : (JSON.parse(this.outline.valueText(index)) as JsonValue);
  }

  /** A member of the document after the patch, which must name it and not be null. */
  applied(name: string, target: JsonText): JsonText {
    return mergeValue(target, this.outline, this.index(name));
  }

  /**
   * A member that is an object, after the patch; it is empty when the patch removes it.
   * @throws InvalidAnswer when it is another value afterwards
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

  /** The headers after the patch, as an object of their own. */
  appliedHeaders(headers: Readonly<HeaderMap>): HeaderMap {
    const { headers: change } = this.change;
    if (change === null) return {};
    const result = { ...headers };
    for (const [name, value] of Object.entries((change ?? {}) as Record<string, string | string[] | null>)) {
      if (value === null) delete result[name];
      else setOwn(result, name, value);
    }
    return result;
  }

  /**
   * Members that the document does not define, as one object, after the patch.
   * @param defined names of those it does define
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

/** Checked headers of a patch with names in lower case, without those that frame the message; null removes one. */
function readHeaders(outline: JsonOutline, index: number): JsonObject | null {
  if (outline.valueKind(index) === 'null') return null;
  const members = outline.objectAt(index);
  if (members === null) throw new InvalidAnswer('headers are not an object');
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

/** The members of an object that was put together, each with a comma before it. */
export function moreMembers(object: string): string {
  const inside = object.slice(object.indexOf('{') + 1, object.lastIndexOf('}')).trim();
  return inside === '' ? '' : `,${inside}`;
}
