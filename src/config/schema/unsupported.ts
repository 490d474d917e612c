import { type Pointer, segments } from '../source/pointer.js';
import type { Finding } from '../source/problems.js';

/**
 * Keys of the configuration's design that this version does not act on: a file that has one is told so.
 * When a feature lands, its row goes and the schema grows.
 */
const NOT_YET: readonly string[] = ['marketplace', 'state', 'plugins.*.permissions.http'];

/** Permissions one might look for that no version can give without making the others worthless. */
const NEVER: readonly (readonly [path: string, reason: string])[] = [
  ['plugins.*.permissions.exec', 'a process that can start others escapes its limits'],
  [
    'plugins.*.permissions.network.unix',
    "whoever may use one Unix socket may use them all, a container engine's included",
  ],
];

/** Whether a key is one that this version does not support yet. */
export function isNotSupportedYet(pointer: Pointer): boolean {
  return NOT_YET.some((pattern) => matches(pattern, pointer));
}

/** Why a key is not and will not be there, or undefined for any other key. */
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
