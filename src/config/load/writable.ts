import { relative, sep } from 'node:path';
import { below, type Pointer } from '../source/pointer.js';
import type { BackworksConfig } from '../types.js';

export interface Replaceable {
  /** The permission that lets a plugin do it. */
  readonly pointer: Pointer;
  /** In words. */
  readonly what: string;
}

/**
 * Files that decide what plugins may do, or are plugins, where a plugin may write to them: it could
 * give itself more at the next start. By their names; links are not followed.
 */
export function replaceableFiles(config: BackworksConfig): Replaceable[] {
  const precious = preciousFiles(config);
  const found: Replaceable[] = [];
  for (const { name, enabled, sandbox, permissions } of config.plugins) {
    const list = `${below('/plugins', name)}/permissions/filesystem/write`;
    if (!enabled || sandbox === 'off') continue;
    permissions.filesystem.write.forEach((granted, index) => {
      const file = precious.find(({ path }) => contains(granted, path));
      if (file !== undefined) found.push({ pointer: below(list, index), what: file.what });
    });
  }
  return found;
}

function preciousFiles({ file, plugins, autoDiscover }: BackworksConfig): { path: string; what: string }[] {
  return [
    ...(file === null ? [] : [{ path: file, what: 'this file' }]),
    ...plugins.flatMap(({ name, path }) =>
      path === null ? [] : [{ path, what: `the library of plugins.${name}` }],
    ),
    ...(autoDiscover.enabled ? autoDiscover.directories : []).map((path) => ({
      path,
      what: 'libraries that plugins.auto_discover finds',
    })),
  ];
}

/** True when `path` is `ancestor` or lies below it. */
function contains(ancestor: string, path: string): boolean {
  const way = relative(ancestor, path);
  return way !== '..' && !way.startsWith(`..${sep}`);
}
