import type { PluginPolicy } from '../config/types.js';
import { describeLibrary } from '../native/description/describe.js';
import { checkLibrary } from '../native/library/facts/index.js';
import { libraryFacts } from '../native/library/library-facts.js';
import type { LibraryStore } from '../native/library/library-store.js';
import type { LibraryDescription } from '../native/plugin.js';
import { type PluginMetadata, readMetadata } from './metadata.js';
import type { PluginUsers } from './plugin-users.js';
import { sandboxOf } from './sandbox-of.js';
import { Semaphore } from '../semaphore.js';

/** Libraries read at the same time. Each may need a short-lived process. */
const CONCURRENT_READS = 8;
/** Name for the user of processes that describe libraries. No plugin can have this name. */
const DESCRIBER = 'describe a library';

/** Reads the metadata of libraries. */
export interface LibraryReader {
  /** @throws BackworksError when the file is not a usable plugin, with the reason and a hint */
  read(path: string, policy?: PluginPolicy): Promise<PluginMetadata>;
  /** What the library says about itself; its manifest is not checked yet. @throws BackworksError as read() */
  describe(path: string, policy?: PluginPolicy): Promise<LibraryDescription>;
}

/**
 * Creates the reader. It first inspects the file without loading it, because most mistakes can be found and
 * explained that way. Then a runner loads a copy in the plugin's sandbox and prints the metadata. No plugin code
 * runs in the server's process.
 */
export function createLibraryReader(
  store: () => Promise<LibraryStore>,
  defaults: PluginPolicy,
  users: PluginUsers,
): LibraryReader {
  const reading = new Semaphore(CONCURRENT_READS);
  const describe = async (path: string, policy: PluginPolicy): Promise<LibraryDescription> => {
    checkLibrary(path, await libraryFacts(path));
    return describeLibrary(path, {
      // The same steps as in the loader, so that a library that can be described can also be started.
      prepare: async (library) => {
        const stored = await (await store()).add(library);
        return { file: stored.path, sandbox: sandboxOf(policy, stored, users.of(DESCRIBER)) };
      },
      preparedFor: JSON.stringify(sandboxOf(policy)),
    });
  };
  return {
    read: (path, policy = defaults) => reading.run(async () => readMetadata(await describe(path, policy))),
    describe: (path, policy = defaults) => reading.run(() => describe(path, policy)),
  };
}
