import type { RegistryEntry } from '../entry/registry-entry.js';
import type { PluginSwapper } from './swap.js';
import type { SwapRecord } from '../entry/swap-record.js';
import type { VersionKeeper } from '../records/version-keeper.js';

/**
 * Does what another process of the server has done about the versions of a plugin, so that all end on the
 * same. Nothing is done where this one has come to something else meanwhile.
 * @throws BackworksError why it cannot
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
    const why = (reason ?? 'by hand').replace(/^canary: /, '');
    if (canary !== null && canary === from.digest) await swapper.rollBack(entry, by, undefined, why);
    else if (serves && to.digest !== null) await swapper.rollBack(entry, by, to.digest, why);
  } else if (outcome === 'swapped' && serves && canary !== to.digest) {
    // What was bad here is bad, whatever others found: they are told to go back.
    if (lastSwap?.outcome === 'rolled_back' && lastSwap.from.digest === to.digest) return;
    const choose = keeper.chooseVersion(entry.plan, to);
    await swapper.swap(entry, { by, choose, following: true });
  }
}
