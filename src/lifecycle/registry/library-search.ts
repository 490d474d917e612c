import { basename } from 'node:path';
import type { PluginPolicy } from '../../config/types.js';
import { BackworksError, type ErrorCode } from '../../errors.js';
import { discoverPlugins } from '../../plugins/discovery.js';
import type { LibraryReader } from '../../plugins/library-reader.js';
import { discoveredEntry } from '../../plugins/plugin-entry.js';
import type { SurveyedPlugin } from '../dependencies/survey.js';

/**
 * A library of some directories, by its name or its file's; null for none.
 * @param defaults policy it is to have
 * @throws BackworksError when what is there cannot be used
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
