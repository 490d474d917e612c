import { type Pointer, segments } from '../source/pointer.js';
import type { Finding } from '../source/problems.js';

/**
 * Planned keys that this version does not support. A file that uses one gets a message that says so. When a
 * feature lands, remove its row and extend the schema.
 */
const NOT_YET: readonly string[] = ['marketplace', 'state', 'plugins.*.permissions.http'];

/** Permissions that cannot exist, because each would make the other permissions worthless. */
const NEVER: readonly (readonly [path: string, reason: string])[] = [
  ['plugins.*.permissions.exec', 'a process that can start others can escape its limits'],
  [
    'plugins.*.permissions.network.unix',
    "access to one Unix socket would include all of them, even a container engine's",
  ],
];

/** Whether a key is planned but not supported by this version. */
export function isNotSupportedYet(pointer: Pointer): boolean {
  return NOT_YET.some((pattern) => matches(pattern, pointer));
}

/** Why a key will never be supported, or undefined for any other key. */
export function refusal(pointer: Pointer): Finding | undefined {
  const row = NEVER.find(([pattern]) => matches(pattern, pointer));
  return row === undefined ? undefined : { message: `cannot be granted: ${row[1]}`, hint: 'remove it' };
}

function matches(pattern: string, pointer: Pointer): boolean {
  const path = segments(pointer);
  if (path[0] === 'plugins' && path[1] === 'auto_discover') return false;
  const parts = pattern.split('.');
  return parts.length === path.length && parts.every((part, i) => part === '*' || part === path[i]);
}
