import type { PluginPolicy } from '../config/types.js';
import { describeLibrary } from '../native/description/describe.js';
import { checkLibrary, readLibraryFacts } from '../native/library-facts/index.js';
import type { LibraryStore } from '../native/library-store.js';
import { type PluginMetadata, readMetadata } from './metadata.js';
import { sandboxOf } from './sandbox-of.js';

/** Reads what a library says of itself. */
export interface LibraryReader {
  /** @throws BackworksError when the file is not a usable plugin, saying why and what to do. */
  read(path: string, policy?: PluginPolicy): Promise<PluginMetadata>;
}

/**
 * Looks at the file first, without loading it: most mistakes end there, as a plain sentence. Then a
 * runner loads a copy of it, in the sandbox of its policy, and prints its metadata. No plugin code
 * runs here.
 */
export function createLibraryReader(
  store: () => Promise<LibraryStore>,
  defaults: PluginPolicy,
): LibraryReader {
  return {
    async read(path, policy = defaults) {
      checkLibrary(path, await readLibraryFacts(path));
      const description = await describeLibrary(path, {
        sandbox: sandboxOf(policy),
        copyOf: async (library) => (await (await store()).add(library)).path,
      });
      return readMetadata(description);
    },
  };
}
