import type { FailedChange } from '../lifecycle/registry/registry-change.js';
import type { PluginChange } from '../lifecycle/registry/reload.js';
import type { SettingsPlan } from './settings.js';

/** What a reload would do. */
export interface ReloadPlan extends SettingsPlan {
  /** Every plugin, with the planned action and its reason. */
  readonly plugins: readonly PluginChange[];
  readonly reordered: boolean;
}

/** A configuration that is ready to take effect. The caller calls exactly one of commit() and abort(). */
export interface PreparedReload {
  readonly plan: ReloadPlan;
  /**
   * Applies the configuration to requests that begin from now on.
   * @returns optional plugins that failed to start
   */
  commit(): Promise<readonly FailedChange[]>;
  /** Drops the prepared configuration. */
  abort(): Promise<void>;
}

/**
 * Prepares a reload under a lock that stays held until commit() or abort(). The lock is released when the
 * preparation fails and when commit() or abort() ends, whether it fails or not. A commit() that fails aborts
 * the changes it has not made yet.
 * @param lock waits for the lock and returns its release function
 */
export async function prepareUnderLock(
  lock: () => Promise<() => void>,
  prepare: () => Promise<PreparedReload>,
): Promise<PreparedReload> {
  const release = await lock();
  let prepared: PreparedReload;
  try {
    prepared = await prepare();
  } catch (thrown) {
    release();
    throw thrown;
  }
  return {
    plan: prepared.plan,
    async commit() {
      try {
        return await prepared.commit();
      } catch (thrown) {
        await prepared.abort();
        throw thrown;
      } finally {
        release();
      }
    },
    async abort() {
      try {
        await prepared.abort();
      } finally {
        release();
      }
    },
  };
}
