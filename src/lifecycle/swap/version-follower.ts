import type { RegistryEntry } from '../entry/registry-entry.js';
import type { PluginSwapper } from './swap.js';
import type { SwapRecord } from '../entry/swap-record.js';
import type { VersionKeeper } from '../records/version-keeper.js';

/**
 * Applies a swap or rollback of another worker, so that all workers end with the same version. If this worker
 * has meanwhile changed to another version, nothing happens.
 * @throws BackworksError the reason the change cannot be applied
 */
export async function followVersion(
  entry: RegistryEntry,
  { outcome, by, from, to, reason }: SwapRecord,
  { swapper, keeper }: { readonly swapper: PluginSwapper; readonly keeper: VersionKeeper },
): Promise<void> {
  const { trial, lastSwap } = entry;
  const serves = entry.plugin !== null && entry.digest === from.digest;
  const canary = trial?.stage === 'canary' ? trial.other.digest : null;
  if (outcome === 'rolled_back') {
    const why = (reason ?? 'requested by an operator').replace(/^canary: /, '');
    if (canary !== null && canary === from.digest) await swapper.rollBack(entry, by, undefined, why);
    else if (serves && to.digest !== null) await swapper.rollBack(entry, by, to.digest, why);
  } else if (outcome === 'swapped' && serves && canary !== to.digest) {
    // A version that this worker rolled back stays refused. The other workers must roll it back as well.
    if (lastSwap?.outcome === 'rolled_back' && lastSwap.from.digest === to.digest) return;
    const choose = keeper.chooseVersion(entry.plan, to);
    await swapper.swap(entry, { by, choose, followsWorker: true });
  }
}
