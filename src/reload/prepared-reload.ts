import type { FailedChange } from '../lifecycle/registry/registry-change.js';
import type { PluginChange } from '../lifecycle/registry/reload.js';
import type { SettingsPlan } from './settings.js';

/** What a reload would do. */
export interface ReloadPlan extends SettingsPlan {
  /** Every plugin, what is to be done about it and why. */
  readonly plugins: readonly PluginChange[];
  readonly reordered: boolean;
}

/** A configuration that is ready to come into force. Exactly one of commit() and abort() is to be called. */
export interface PreparedReload {
  readonly plan: ReloadPlan;
  /**
   * Puts it in force for requests that begin from now on.
   * @returns optional plugins that did not come up
   */
  commit(): Promise<readonly FailedChange[]>;
  /** Leaves everything as it was. */
  abort(): Promise<void>;
}

/**
 * Prepares a reload under a lock that stays held until the reload is decided. The lock is released when the
 * preparation, commit() or abort() ends, failed or not. A commit() that fails aborts what it left undone.
 * @param lock waits for the lock and returns its release
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
