import { defaultPluginPolicy, defaultPluginUsers } from '../../config/load/load.js';
import { type LibraryStore, openLibraryStore } from '../../native/library/library-store.js';
import { pluginUsers } from '../../plugins/plugin-users.js';
import { createLibraryReader, type LibraryReader } from '../../plugins/library-reader.js';

/** Reads what libraries declare about themselves, for commands without a server. Nothing is initialized. */
export function openLibraryReader(): LibraryReader {
  let store: Promise<LibraryStore> | null = null;
  const users = pluginUsers(defaultPluginUsers());
  return createLibraryReader(() => (store ??= openLibraryStore()), defaultPluginPolicy(), users);
}
