import type { PluginPolicy } from '../config/types.js';
import type { StoredLibrary } from '../native/library/library-store.js';
import type { ProcessUser, SandboxOptions } from '../native/plugin.js';

/**
 * The sandbox a policy asks for.
 * @param library one that is loaded in its own place may read the directories where it finds others
 * @param user who runs its processes where the server is root
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
