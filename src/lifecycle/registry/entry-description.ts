import { BackworksError, toBackworksError } from '../../errors.js';
import { notThreadSafe } from '../../native/failures.js';
import type { LibraryReader } from '../../plugins/library-reader.js';
import type { PluginLoader } from '../../plugins/loader.js';
import type { RegistryEntry } from '../entry/registry-entry.js';

/** Reads the metadata of an entry's library and checks whether it may start. A failure is recorded in the entry. */
export async function describeEntry(
  entry: RegistryEntry,
  { reader, loader }: { readonly reader: LibraryReader; readonly loader: PluginLoader },
): Promise<void> {
  const { path, type, enabled } = entry.plan.config;
  try {
    if (path === null)
      throw new BackworksError('BW_PLUGIN_UNSUPPORTED', `plugins of type "${type}" are not supported yet`);
    if (entry.metadata === null) entry.describe(await reader.read(path, entry.plan.config));
    const identified = (digest: string): void => entry.identify(digest);
    if (enabled) await loader.admit(entry.plan, { identified });
    checkThreads(entry);
  } catch (error) {
    entry.fail(toBackworksError(error));
  }
}

/** @throws PluginFailure BW_PLUGIN_UNSUPPORTED when limits.concurrency needs a thread-safe plugin and this one is not */
function checkThreads({ plan, metadata }: RegistryEntry): void {
  const { isolation, limits } = plan.config;
  if (isolation === 'process' && limits.concurrency > 1 && metadata?.threadSafe === false)
    throw notThreadSafe(plan.name, limits.concurrency);
}
