import type { PluginPolicy } from '../config/types.js';
import type { StoredLibrary } from '../native/library/library-store.js';
import type { ProcessUser, SandboxOptions } from '../native/plugin.js';

/**
 * The sandbox that a policy describes.
 * @param library a library that is loaded from its original path may read the directories of its dependencies
 * @param user the user that runs the processes if the server runs as root
 */
export function sandboxOf(
  policy: PluginPolicy,
  library?: StoredLibrary,
  user: ProcessUser | null = null,
): SandboxOptions {
  const { sandbox: mode, permissions, limits } = policy;
  const { memoryBytes, openFiles, fileSizeBytes, threads, concurrency } = limits;
  const { filesystem } = permissions;
  return {
    mode,
    permissions: {
      ...permissions,
      filesystem: { ...filesystem, read: [...filesystem.read, ...(library?.directories ?? [])] },
    },
    memoryBytes,
    openFiles,
    fileSizeBytes,
    threads: threads === 0 ? 0 : threads + 1 + (concurrency > 1 ? concurrency : 0),
    user,
  };
}
