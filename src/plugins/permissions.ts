import { oneLine } from '../printable.js';
import type { JsonObject, JsonValue, Permissions } from '../config/types.js';

/**
 * The permissions that a manifest asks for and the operator has not granted, such as "network.connect 443". A
 * manifest cannot grant permissions; only the configuration can.
 */
export function missingPermissions(asked: JsonObject | null, granted: Permissions): string[] {
  if (asked === null) return [];
  const filesystem = member(asked, 'filesystem');
  const network = member(asked, 'network');
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
    ...missing('env', asked.env, (name) => granted.env.some((given) => given === name)),
  ];
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
