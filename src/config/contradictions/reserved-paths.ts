import { basename, dirname, join, parse, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDirectory, temporaryCacheDirectory } from '../../cache-place.js';
import { contains, placesOf, realPath } from '../../path-places.js';
import type { CheckedFile } from '../schema/checked-file.js';
import { pluginEntries, sandboxOf } from '../schema/plugin-entries.js';
import { below } from '../source/pointer.js';

/** A path that holds code, or that decides what plugins may do. */
interface Reserved {
  readonly path: string;
  /** Description for messages. */
  readonly what: string;
  /** Everything below the path is reserved as well. */
  readonly isTree: boolean;
}

/** Directories whose files are settings of the kernel: limits, cgroups, the order in which processes are killed. */
const KERNEL = process.platform === 'linux' ? ['/proc', '/sys'] : [];
/** Variables that name native files to use instead of those that are installed. */
const OVERRIDES = ['BACKWORKS_RUNNER', 'BACKWORKS_JSON_CHECK'];
const PACKAGE = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * Reports write grants that would let a plugin replace the things that control plugins: the configuration,
 * libraries, their copies in the cache, and the server itself. Neither such a path nor a directory above one
 * can be granted. Paths are compared after links are resolved, so a symbolic link is no way around the check. A
 * link on the way to a reserved path is reserved as well. Libraries that a plugin's library needs are known only
 * after it was read: see refuseUnsafeGrants().
 */
export function reservedPathContradictions(file: CheckedFile): void {
  if (file.isInvalid('/plugins')) return;
  // Resolving the links of every path takes milliseconds, and most configurations grant no writing.
  let reserved: readonly Reserved[] | undefined;
  for (const [name, plugin] of pluginEntries(file.raw.plugins)) {
    const pointer = below('/plugins', name);
    // A disabled entry can be enabled while the server runs.
    if (file.isBroken(pointer) || sandboxOf(plugin) === 'off') continue;
    plugin.permissions.filesystem.write.forEach((path, index) => {
      const absolute = resolve(file.directory, path);
      // permissionContradictions() reports this case.
      if (absolute === parse(absolute).root) return;
      const granted = realPath(absolute);
      reserved ??= reservedPlaces(file);
      const found = reserved.find((one) => isReserved(granted, one));
      if (found === undefined) return;
      const at = below(`${pointer}/permissions/filesystem/write`, index);
      const message = `${file.show(at, path)} would let the plugin replace ${found.what}`;
      file.reject(at, { message, hint: 'grant only the directories it needs' });
    });
  }
}

/** The reserved paths after links are resolved, and the links on the way to them. */
function reservedPlaces(file: CheckedFile): Reserved[] {
  return reservedPaths(file).flatMap((one) => {
    const [end = one.path, ...links] = placesOf(one.path);
    return [{ ...one, path: end }, ...links.map((path) => ({ ...one, path, isTree: false }))];
  });
}

function reservedPaths(file: CheckedFile): Reserved[] {
  const { raw, directory, path: configFile } = file;
  const absolute = (path: string): string => resolve(directory, path);
  const one = (path: string, what: string): Reserved => ({ path, what, isTree: false });
  const tree = (path: string, what: string): Reserved => ({ path, what, isTree: true });
  const libraries = pluginEntries(raw.plugins).flatMap(([name, plugin]) => {
    const pointer = below('/plugins', name);
    if (file.isInvalid(pointer) || file.isBroken(below(pointer, 'path'))) return [];
    if (plugin.path === undefined) return [];
    const library = absolute(plugin.path);
    const folder = dirname(library);
    return [
      one(library, `the library of plugins.${name}`),
      // A library may load others from its folder ($ORIGIN). The folder of the configuration may hold any
      // files, so it is not reserved.
      ...(contains(realPath(folder), realPath(directory))
        ? []
        : [tree(folder, `files in the folder of the library of plugins.${name}`)]),
    ];
  });
  const { auto_discover: discover } = raw.plugins;
  const found = file.isBroken('/plugins/auto_discover') || !discover.enabled ? [] : discover.directories;
  return [
    ...(configFile === null ? [] : [one(configFile, 'this file')]),
    ...libraries,
    ...found.map((path) => tree(absolute(path), 'libraries that plugins.auto_discover finds')),
    ...[cacheDirectory(), temporaryCacheDirectory()].map((path) =>
      tree(path, "the server's cache of libraries"),
    ),
    ...['dist', 'build', 'node_modules'].map((part) => tree(join(PACKAGE, part), 'the server itself')),
    ...installedIn(PACKAGE).map((path) => tree(path, 'the server itself')),
    ...[process.execPath, ...OVERRIDES.map((name) => process.env[name] ?? '')].flatMap((path) =>
      path === '' ? [] : one(path, 'the server itself'),
    ),
    ...KERNEL.map((path) => tree(path, 'what the kernel knows of the server and of other processes')),
  ];
}

/** The directories of packages in which this package was installed, together with those that it needs. */
function installedIn(directory: string): string[] {
  const parent = dirname(directory);
  if (parent === directory) return [];
  return [...(basename(parent) === 'node_modules' ? [parent] : []), ...installedIn(parent)];
}

function isReserved(granted: string, { path, isTree }: Reserved): boolean {
  return contains(granted, path) || (isTree && contains(path, granted));
}
