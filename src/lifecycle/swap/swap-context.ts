import type { Log } from '../../log.js';
import type { LoadedPlugin } from '../../plugins/loaded-plugin.js';
import type { LibraryChoice } from '../../plugins/loader.js';
import type { PluginMetadata } from '../../plugins/metadata.js';
import type { PluginEntry } from '../../plugins/plugin-entry.js';
import type { RegistryEntry } from '../entry/registry-entry.js';
import type { VersionKeeper } from '../records/version-keeper.js';

/** What a swap needs from the supervisor: starting, installing and closing plugins. */
export interface SwapContext {
  readonly log: Log;
  readonly keeper: VersionKeeper;
  /**
   * Loads and initializes a plugin.
   * @throws BackworksError the reason the plugin does not start, or that the server stops; no process is left
   */
  start(
    entry: RegistryEntry,
    plan: PluginEntry,
    choose: LibraryChoice,
    identified: (digest: string) => void,
  ): Promise<LoadedPlugin>;
  /** Called before a version gets requests; see SharedVersions. @param what the version's digest */
  agree(what: string): Promise<void>;
  /** @throws PluginFailure BW_PLUGIN_DEPENDENCY when the version would break a dependency of a serving plugin */
  admit(entry: RegistryEntry, metadata: PluginMetadata): void;
  /** Replaces the serving plugin. @returns the former one */
  replace(entry: RegistryEntry, plan: PluginEntry, plugin: LoadedPlugin): LoadedPlugin | null;
  /**
   * Gives new requests the plugins that the entries have now.
   * @returns resolves when every request that began before has ended
   */
  changed(): Promise<void>;
  /** Closes a plugin after the last request that may still call it, and removes unneeded library copies. */
  retire(entry: RegistryEntry, plugin: LoadedPlugin, ended: Promise<void>): void;
}
