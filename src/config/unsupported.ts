import { type Pointer, segments } from './pointer.js';

/**
 * Keys of the configuration's design that this version does not act on. The schema allows only what
 * happens anyway, and a file that asks for more is told so. When a feature lands, its row goes and the
 * schema grows.
 */
const NOT_YET: readonly (readonly [path: string, allowed?: string])[] = [
  ['environments'],
  ['marketplace'],
  ['state'],
  ['server.workers', '1'],
  ['plugins.*.sandbox', '"off"'],
  ['plugins.*.load', '"eager"'],
  ['plugins.*.permissions'],
  ['plugins.*.limits.memory'],
  ['plugins.*.limits.open_files'],
  ['plugins.*.limits.file_size'],
];

/** The hint for a value this version does not support yet, or undefined for any other value. */
export function unsupportedHint(pointer: Pointer): string | undefined {
  const path = segments(pointer);
  if (path[0] === 'plugins' && path[1] === 'auto_discover') return undefined;
  for (const [pattern, allowed] of NOT_YET) {
    const parts = pattern.split('.');
    const matches =
      parts.length === path.length && parts.every((part, i) => part === '*' || part === path[i]);
    if (matches) return allowed === undefined ? 'remove it' : `remove it or set it to ${allowed}`;
  }
  return undefined;
}
