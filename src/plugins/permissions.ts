import { originOf } from '../config/source/url-origin.js';
import { oneLine } from '../printable.js';
import type { JsonObject, JsonValue, Permissions } from '../config/types.js';

/**
 * The permissions that a manifest requests and the configuration does not grant, such as "network.connect 443".
 * Only the configuration can grant permissions.
 */
export function missingPermissions(requested: JsonObject | null, granted: Permissions): string[] {
  if (requested === null) return [];
  const filesystem = member(requested, 'filesystem');
  const network = member(requested, 'network');
  const { read, write } = granted.filesystem;
  const missing = (
    name: string,
    wanted: JsonValue | undefined,
    has: (item: JsonValue) => boolean,
  ): string[] =>
    list(wanted)
      .filter((item) => !has(item))
      .map((item) => oneLine(`${name} ${typeof item === 'string' ? item : JSON.stringify(item)}`));
  return [
    ...missing('filesystem.read', filesystem.read, (path) => isBelow(path, [...read, ...write])),
    ...missing('filesystem.write', filesystem.write, (path) => isBelow(path, write)),
    ...missing('network.connect', network.connect, (port) => granted.network.connect.includes(Number(port))),
    ...missing('network.listen', network.listen, (port) => granted.network.listen.includes(Number(port))),
    ...(network.udp === true && !granted.network.udp ? ['network.udp'] : []),
    ...missing(
      'network.fetch',
      network.fetch,
      (origin) => typeof origin === 'string' && granted.network.fetch.includes(originOf(origin)),
    ),
    ...missing('env', requested.env, (name) => granted.env.some((given) => given === name)),
  ];
}

/** The warning about one missing permission, in the log and in `plugin status`. */
export function missingPermissionSentence(plugin: string, missing: string): string {
  return `plugin ${plugin} requests ${missing}, which its configuration does not grant; the plugin may fail`;
}

function member(object: JsonObject, key: string): JsonObject {
  const value = object[key];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function list(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : [];
}

/** Whether a path is one of the roots or below one. Only absolute paths are compared. */
export function isBelow(path: JsonValue, roots: readonly string[]): boolean {
  if (typeof path !== 'string') return false;
  return roots.some((root) => path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`));
}
