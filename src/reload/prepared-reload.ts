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
