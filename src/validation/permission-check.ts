import type { JsonObject, JsonValue, Permissions } from '../config/types.js';
import type { Refusal } from '../native/plugin.js';
import { isBelow } from '../plugins/permissions.js';
import { Finding } from './report.js';

/** Something that the plugin tried to use and that its sandbox refused. */
export interface Touched {
  /** The permission that allows it, such as "filesystem.read"; null when no permission does. */
  readonly permission: Refusal['permission'];
  /** The function or system call. */
  readonly function: string;
  /** The path, port or origin; null when there is none. */
  readonly object: string | null;
  /** The manifest asks for the permission. */
  readonly requested: boolean;
}

const NAMED_MAX = 4;

/** What the plugin tried in all processes of a validation, each thing once and in order. */
export function touchedBy(refusals: readonly Refusal[], requested: JsonObject | null): Touched[] {
  const known = new Map<string, Touched>();
  for (const refusal of refusals) {
    const { permission, function: name } = refusal;
    const object = refusal.object === null ? null : refusal.object.replace(/^\/proc\/\d+/, '/proc/self');
    const touched = {
      permission,
      function: name,
      object,
      requested: isRequested(permission, object, requested),
    };
    known.set(JSON.stringify(touched), touched);
  }
  return [...known].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, touched]) => touched);
}

/**
 * Compares what the plugin tried with what its manifest asks for.
 * @param granted what the configuration allows
 * @returns the detail of a check that passed
 * @throws Finding for something that the manifest does not ask for
 */
export function checkPermissions(touched: readonly Touched[], granted: Permissions): string {
  const silent = touched.filter(({ requested }) => !requested);
  if (silent.length === 0) {
    if (touched.length > 0) return `refused, and requested by its manifest: ${list(touched)}`;
    return hasAny(granted) ? 'it used nothing beyond its permissions' : 'it needs no permission';
  }
  const never = silent.filter(({ permission }) => permission === null);
  const hint =
    never.length > 0
      ? 'no permission allows this: do without it'
      : 'list it under "permissions" in the manifest, so that operators can grant it, or do without it';
  throw new Finding(
    'failed',
    `its sandbox refused what its manifest does not ask for: ${list(silent)}`,
    hint,
  );
}

function list(touched: readonly Touched[]): string {
  const texts = touched.map(({ permission, function: name, object }) =>
    [
      `${name}()`,
      ...(object === null ? [] : [object]),
      ...(permission === null ? [] : [`(${permission})`]),
    ].join(' '),
  );
  const more = texts.length > NAMED_MAX ? `, and ${texts.length - NAMED_MAX} more` : '';
  return [...new Set(texts)].slice(0, NAMED_MAX).join(', ') + more;
}

function hasAny({ filesystem, network }: Permissions): boolean {
  const { connect, listen, fetch, udp } = network;
  return [filesystem.read, filesystem.write, connect, listen, fetch].some(({ length }) => length > 0) || udp;
}

/** Whether a manifest asks for a permission. @param object the path or port that is used; null for any */
export function isRequested(
  permission: Refusal['permission'],
  object: string | null,
  requested: JsonObject | null,
): boolean {
  if (permission === null || requested === null) return false;
  const [group = '', key = ''] = permission.split('.');
  const member = requested[group];
  const values = isObject(member) ? member[key] : undefined;
  if (permission === 'network.udp') return values === true;
  const items = Array.isArray(values) ? values : [];
  if (permission === 'network.fetch') return object === null || items.includes(object);
  if (group === 'network')
    return object === null ? items.length > 0 : items.some((item) => isPort(item, object));
  const written = isObject(member) && key === 'read' ? member['write'] : undefined;
  const roots = [...items, ...(Array.isArray(written) ? written : [])];
  return (
    object === null ||
    isBelow(
      object,
      roots.filter((root) => typeof root === 'string'),
    )
  );
}

/** @param object ends with the port */
function isPort(item: JsonValue, object: string): boolean {
  return Number(item) === Number(/\d+$/.exec(object)?.[0]);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
