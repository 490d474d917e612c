import { BackworksError, toBackworksError } from '../../errors.js';
import { notThreadSafe } from '../../native/failures.js';
import type { LibraryReader } from '../../plugins/library-reader.js';
import type { PluginLoader } from '../../plugins/loader.js';
import type { RegistryEntry } from '../entry/registry-entry.js';

/** Reads what an entry's library says of itself, and whether it may start. A failure is noted in the entry. */
export async function describeEntry(
  entry: RegistryEntry,
  { reader, loader }: { readonly reader: LibraryReader; readonly loader: PluginLoader },
): Promise<void> {
  const { path, type, enabled } = entry.plan.config;
  try {
    if (path === null)
      throw new BackworksError('BW_PLUGIN_UNSUPPORTED', `type "${type}" cannot be served yet`);
    entry.metadata ??= await reader.read(path, entry.plan.config);
    const identified = (digest: string): string => (entry.digest = digest);
    if (enabled) await loader.admit(entry.plan, { identified });
    const { isolation, limits } = entry.plan.config;
    const { concurrency } = limits;
    if (isolation === 'process' && concurrency > 1 && !entry.metadata.threadSafe) throw notThreadSafe(entry.plan.name, concurrency);
  } catch (error) {
    entry.fail(toBackworksError(error));
  }
}
