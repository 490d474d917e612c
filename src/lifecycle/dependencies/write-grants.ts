import { join } from 'node:path';
import { BackworksError } from '../../errors.js';
import { dependenciesOf, VARIANTS } from '../../native/library/dependencies.js';
import { contains, placesOf, realPath } from '../../path-places.js';
import type { PluginEntry } from '../../plugins/plugin-entry.js';

/** A place from which a process of a plugin may load code. */
interface CodePlace {
  readonly plugin: string;
  readonly path: string;
  /** Everything below the path may be loaded as well. */
  readonly isTree: boolean;
}

/**
 * Refuses write grants that would let a plugin replace a library that the library of a plugin needs. The same rule
 * as for the libraries themselves (reservedPathContradictions()); the needed ones are known only after the library
 * was read.
 * @param configDirectory directory of the configuration file, in which other files lie as well; null if none
 * @throws BackworksError BW_CONFIG_INVALID
 */
export async function refuseUnsafeGrants(
  entries: readonly PluginEntry[],
  configDirectory: string | null,
): Promise<void> {
  const granting = entries.filter(
    ({ config }) => config.sandbox !== 'off' && config.permissions.filesystem.write.length > 0,
  );
  if (granting.length === 0) return;
  const places = (await Promise.all(entries.map((entry) => codePlaces(entry, configDirectory)))).flat();
  for (const { name, config } of granting) {
    for (const path of config.permissions.filesystem.write) {
      const granted = realPath(path);
      const found = places.find(
        (place) => contains(granted, place.path) || (place.isTree && contains(place.path, granted)),
      );
      if (found === undefined) continue;
      const at = `plugins.${name}.permissions.filesystem.write${config.where === null ? '' : ` (${config.where})`}`;
      const what = found.isTree
        ? `what plugin ${found.plugin} loads from ${found.path}`
        : `${found.path}, which plugin ${found.plugin} loads`;
      const message = `${at}: ${path} would let the plugin replace ${what}`;
      throw new BackworksError('BW_CONFIG_INVALID', message, { hint: 'grant only the directories it needs' });
    }
  }
}

async function codePlaces(
  { name, config }: PluginEntry,
  configDirectory: string | null,
): Promise<CodePlace[]> {
  if (config.path === null) return [];
  const { files, directories } = await dependenciesOf(config.path);
  const one = (path: string): CodePlace => ({ plugin: name, path, isTree: false });
  const tree = (path: string): CodePlace => ({ plugin: name, path: realPath(path), isTree: true });
  const searched = directories.flatMap((directory) =>
    // Beside the configuration lies anything.
    configDirectory !== null && contains(realPath(directory), realPath(configDirectory))
      ? [...VARIANTS].map((variant) => tree(join(directory, variant)))
      : [tree(directory)],
  );
  return [...files.flatMap(({ path }) => placesOf(path).map(one)), ...searched];
}
