import type { PluginPolicy } from '../config/types.js';
import { describeLibrary } from '../native/description/describe.js';
import { checkLibrary, readLibraryFacts } from '../native/library/facts/index.js';
import type { LibraryStore } from '../native/library/library-store.js';
import { type PluginMetadata, readMetadata } from './metadata.js';
import type { PluginUsers } from './plugin-users.js';
import { sandboxOf } from './sandbox-of.js';
import { Semaphore } from '../semaphore.js';

/** Each may take a short-lived process. */
const READ_AT_ONCE = 8;
/** A name no plugin can have, for the user of processes that describe libraries. */
const DESCRIBER = 'describe a library';

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
  users: PluginUsers,
): LibraryReader {
  const reading = new Semaphore(READ_AT_ONCE);
  const read = async (path: string, policy: PluginPolicy): Promise<PluginMetadata> => {
    checkLibrary(path, await readLibraryFacts(path));
    const description = await describeLibrary(path, {
      // As the loader does it, so that what can be described can be started.
      prepare: async (library) => {
        const stored = await (await store()).add(library);
        return { file: stored.path, sandbox: sandboxOf(policy, stored, users.of(DESCRIBER)) };
      },
      preparedFor: JSON.stringify(sandboxOf(policy)),
    });
    return readMetadata(description);
  };
  return { read: (path, policy = defaults) => reading.run(() => read(path, policy)) };
}
