import type { Log } from '../../log.js';
import type { LoadedPlugin } from '../../plugins/loaded-plugin.js';
import type { LibraryChoice } from '../../plugins/loader.js';
import type { PluginMetadata } from '../../plugins/metadata.js';
import type { PluginEntry } from '../../plugins/plugin-entry.js';
import type { RegistryEntry } from '../entry/registry-entry.js';
import type { VersionKeeper } from '../records/version-keeper.js';

/** What a swap stands on: how plugins are started, given to requests, and ended. */
export interface SwapContext {
  readonly log: Log;
  readonly keeper: VersionKeeper;
  /**
   * Loads and initializes a plugin.
   * @throws BackworksError why it does not start, or that the server stops; nothing is left running
   */
  bringUp(
    entry: RegistryEntry,
    plan: PluginEntry,
    choose: LibraryChoice,
    identified: (digest: string) => void,
  ): Promise<LoadedPlugin>;
  /** See SharedVersions: asked before a version gets requests. @param what its digest */
  agree(what: string): Promise<void>;
  /** @throws PluginFailure BW_PLUGIN_DEPENDENCY when something that serves could not go on with a version */
  admit(entry: RegistryEntry, metadata: PluginMetadata): void;
  /** Puts a plugin in the place of the one that serves. @returns what served */
  put(entry: RegistryEntry, plan: PluginEntry, plugin: LoadedPlugin): LoadedPlugin | null;
  /**
   * New requests get the plugins as the entries have them now.
   * @returns resolves when every request has ended that began before
   */
  changed(): Promise<void>;
  /** Closes a plugin when the requests have ended that may still call it, and removes copies nothing needs. */
  retire(entry: RegistryEntry, plugin: LoadedPlugin, ended: Promise<void>): void;
}
