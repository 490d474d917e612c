import { toBackworksError } from '../../errors.js';
import type { Log } from '../../log.js';
import { LazyPlugin } from '../../plugins/lazy-plugin.js';
import { type CheckedLibrary, checkLibraryOf, startLazy } from './lazy-start.js';
import type { LibraryReader } from '../../plugins/library-reader.js';
import type { LoadedPlugin } from '../../plugins/loaded-plugin.js';
import type { LibraryChoice, PluginLoader } from '../../plugins/loader.js';
import type { PluginMetadata } from '../../plugins/metadata.js';
import { type PluginEntry, resolvePolicy } from '../../plugins/plugin-entry.js';
import type { RegistryEntry } from '../entry/registry-entry.js';
import type { PluginState } from '../entry/plugin-state.js';
import type { PluginSupervisor } from '../supervision/supervisor.js';
import type { SwapResult } from '../swap/swap.js';
import type { VersionKeeper } from '../records/version-keeper.js';
import type { Provider } from '../dependencies/dependency-resolver.js';

export interface LazyLoadingOptions {
  readonly log: Log;
  readonly reader: LibraryReader;
  readonly loader: PluginLoader;
  readonly keeper: VersionKeeper;
  readonly supervisor: PluginSupervisor;
  readonly find: (name: string) => RegistryEntry;
  /** The providers of a plugin's dependencies that exist. */
  readonly providersOf: (name: string) => readonly Provider[];
  /** Plugins that depend on the named plugin, in any state. */
  readonly dependents: (name: string) => readonly string[];
  /** Runs work while no other change to the set of plugins runs. */
  readonly exclusively: <T>(work: () => Promise<T>) => Promise<T>;
}

/** States in which a plugin does not use its dependencies. */
const INACTIVE_STATES: ReadonlySet<PluginState> = new Set<PluginState>(['lazy', 'failed', 'stopped']);

/** Manages plugins that start on first use: checks them before, starts them, and stops them when they are idle. */
export class LazyLoading {
  constructor(private readonly options: LazyLoadingOptions) {}

  /** Checks a plugin without starting it. @throws BackworksError the reason the plugin could not start */
  check(plan: PluginEntry, known: PluginMetadata | null, choose?: LibraryChoice): Promise<CheckedLibrary> {
    return checkLibraryOf(plan, known, choose ?? this.options.keeper.choose(plan), this.options);
  }

  /** Postpones a plugin while the server starts. A plugin whose check fails becomes failed. Never rejects. */
  async postponeAtStart(entry: RegistryEntry): Promise<void> {
    try {
      this.postpone(entry, entry.plan, await this.check(entry.plan, entry.metadata));
    } catch (thrown) {
      this.options.supervisor.fail(entry, toBackworksError(thrown));
    }
  }

  /**
   * Makes a plugin wait for its first use.
   * @returns the plugin that served before, or null; the caller retires it
   */
  postpone(
    entry: RegistryEntry,
    plan: PluginEntry,
    { metadata, digest }: CheckedLibrary,
    reason = 'starts on first use',
  ): LoadedPlugin | null {
    const { supervisor, log, exclusively } = this.options;
    const { name } = plan;
    supervisor.stopWatching(entry, reason);
    const policy = resolvePolicy(plan.config, metadata);
    const start = (): Promise<LoadedPlugin> => exclusively(() => this.start(name));
    const standIn = new LazyPlugin({ name, metadata, policy, start });
    const former = entry.postpone(plan, standIn, digest, reason);
    entry.afterChange(() => former?.withdraw());
    entry.afterChange(() => log.info({ plugin: name, digest }, `plugin ${name} ${reason}`));
    return former;
  }

  /**
   * Starts a lazy plugin after its dependencies. Call it within exclusively().
   * @throws BackworksError the reason the plugin does not start
   */
  async start(name: string): Promise<LoadedPlugin> {
    const { supervisor, find, providersOf } = this.options;
    const entry = find(name);
    const isWaiting = entry.state === 'lazy';
    try {
      return await startLazy(entry, {
        find,
        providersOf,
        load: (waiting) => supervisor.load(waiting),
        fail: (waiting, error) => supervisor.fail(waiting, error),
      });
    } finally {
      if (isWaiting) void supervisor.changed();
    }
  }

  /** Stops a plugin that was idle for `idle_after`, unless a running plugin depends on it. */
  async stopIdle(entry: RegistryEntry): Promise<void> {
    const { exclusively, dependents, find, supervisor } = this.options;
    const calls = entry.plugin?.callStats.calls;
    await exclusively(() => {
      const { plan, plugin, metadata, trial } = entry;
      const isNeeded = dependents(plan.name).some((other) => !INACTIVE_STATES.has(find(other).state));
      if (plugin === null || metadata === null || trial !== null || isNeeded) return Promise.resolve();
      // The plugin was called, or is no longer lazy, since the caller asked.
      if (plugin.callStats.calls !== calls || plan.config.load !== 'lazy') return Promise.resolve();
      const { digest } = plugin;
      this.postpone(entry, plan, { metadata, digest }, 'was idle and starts on next use');
      supervisor.retire(entry, plugin, supervisor.changed());
      return Promise.resolve();
    });
  }

  /**
   * Swaps the library of a plugin that has not been started. Nothing is started.
   * @throws BackworksError the reason the library is rejected
   */
  async swap(entry: RegistryEntry): Promise<SwapResult> {
    const { supervisor, keeper } = this.options;
    const { plan, digest } = entry;
    const checked = await this.check(plan, null, keeper.choose(plan));
    if (checked.digest === digest) return 'unchanged';
    supervisor.admit(entry, checked.metadata);
    this.postpone(entry, plan, checked);
    void supervisor.changed();
    return 'swapped';
  }
}
