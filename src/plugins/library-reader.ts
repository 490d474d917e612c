import { describeLibrary } from '../native/describe.js';
import { checkLibrary, readLibraryFacts } from '../native/library-facts/index.js';
import { type PluginMetadata, readMetadata } from './metadata.js';

/** Reads what a library says of itself. */
export interface LibraryReader {
  /** @throws BackworksError when the file is not a usable plugin, saying why and what to do. */
  read(path: string): Promise<PluginMetadata>;
}

/**
 * Looks at the file first, without loading it: most mistakes end there, as a plain sentence. Then a
 * runner loads it in a process of its own and prints its metadata. No plugin code runs here.
 */
export function createLibraryReader(): LibraryReader {
  return {
    async read(path) {
      checkLibrary(path, await readLibraryFacts(path));
      return readMetadata(await describeLibrary(path));
    },
  };
}
