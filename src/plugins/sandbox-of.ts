import { dirname } from 'node:path';
import type { PluginPolicy } from '../config/types.js';
import type { StoredLibrary } from '../native/library/library-store.js';
import type { SandboxOptions } from '../native/plugin.js';

/**
 * The sandbox a policy asks for.
 * @param library when it has to be loaded where it lies, because it finds others beside it, those may
 *   be read too
 */
export function sandboxOf(policy: PluginPolicy, library?: StoredLibrary): SandboxOptions {
  const { sandbox: mode, permissions, limits } = policy;
  const { memoryBytes, openFiles, fileSizeBytes } = limits;
  const { filesystem } = permissions;
  const read = library?.inPlace === true ? [...filesystem.read, dirname(library.path)] : filesystem.read;
  return {
    mode,
    permissions: { ...permissions, filesystem: { ...filesystem, read } },
    memoryBytes,
    openFiles,
    fileSizeBytes,
  };
}
