import { basename } from 'node:path';
import type { PluginPolicy } from '../../config/types.js';
import { BackworksError, type ErrorCode } from '../../errors.js';
import { discoverPlugins } from '../../plugins/discovery.js';
import type { LibraryReader } from '../../plugins/library-reader.js';
import { discoveredEntry } from '../../plugins/plugin-entry.js';
import type { SurveyedPlugin } from '../dependencies/survey.js';

/**
 * Finds a library in directories by its plugin name or its file name; null if there is none.
 * @param defaults policy of the plugin
 * @throws BackworksError when the file exists but is not a usable plugin
 */
export async function findLibrary(
  which: string,
  directories: readonly string[],
  reader: LibraryReader,
  defaults: PluginPolicy,
): Promise<SurveyedPlugin | null> {
  const { found, rejected } = await discoverPlugins(directories, reader);
  const library = found.find(({ path, metadata }) => metadata.name === which || basename(path) === which);
  if (library !== undefined) return { entry: discoveredEntry(library, defaults), metadata: library.metadata };
  const broken = rejected.find(({ path }) => basename(path) === which);
  if (broken === undefined) return null;
  throw new BackworksError(broken.code as ErrorCode, broken.reason, { hint: broken.hint ?? undefined });
}
