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
  /** What a plugin depends on, as far as it is there. */
  readonly providersOf: (name: string) => readonly Provider[];
  /** Plugins that need one, whatever their state. */
  readonly dependents: (name: string) => readonly string[];
  /** Does something while nothing else changes which plugins there are. */
  readonly exclusively: <T>(work: () => Promise<T>) => Promise<T>;
}

/** States of plugins that need nothing at the moment. */
const AT_REST: ReadonlySet<PluginState> = new Set<PluginState>(['lazy', 'failed', 'stopped']);

/** Plugins that start with their first use: described and checked before, and stopped when nobody calls them. */
export class LazyLoading {
  constructor(private readonly options: LazyLoadingOptions) {}

  /** What can be known of a plugin that is not started. @throws BackworksError why it could not start */
  check(plan: PluginEntry, known: PluginMetadata | null, choose?: LibraryChoice): Promise<CheckedLibrary> {
    return checkLibraryOf(plan, known, choose ?? this.options.keeper.choose(plan), this.options);
  }

  /** Leaves a plugin of the start-up to its first use; one that could not start fails now. Never rejects. */
  async leave(entry: RegistryEntry): Promise<void> {
    try {
      this.postpone(entry, entry.plan, await this.check(entry.plan, entry.metadata));
    } catch (thrown) {
      this.options.supervisor.fail(entry, toBackworksError(thrown));
    }
  }

  /**
   * Leaves a plugin to its first use.
   * @returns what served; the caller retires it
   */
  postpone(
    entry: RegistryEntry,
    plan: PluginEntry,
    { metadata, digest }: CheckedLibrary,
    reason = 'starts with its first use',
  ): LoadedPlugin | null {
    const { supervisor, log, exclusively } = this.options;
    const { name } = plan;
    supervisor.leaveUnwatched(entry, reason);
    const policy = resolvePolicy(plan.config, metadata);
    const start = (): Promise<LoadedPlugin> => exclusively(() => this.start(name));
    const standIn = new LazyPlugin({ name, metadata, policy, start });
    const former = entry.postpone(plan, standIn, digest, reason);
    former?.withdraw();
    log.info({ plugin: name, digest }, `plugin ${name} ${reason}`);
    return former;
  }

  /**
   * Starts a plugin that waits for its first use, after those it needs; within exclusively().
   * @throws BackworksError why it does not start
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

  /** Stops a plugin nobody called for as long as its policy says, unless something that runs needs it. */
  async stopIdle(entry: RegistryEntry): Promise<void> {
    const { exclusively, dependents, find, supervisor } = this.options;
    const calls = entry.plugin?.callStats.calls;
    await exclusively(() => {
      const { plan, plugin, metadata, trial } = entry;
      const isNeeded = dependents(plan.name).some((other) => !AT_REST.has(find(other).state));
      if (plugin === null || metadata === null || trial !== null || isNeeded) return Promise.resolve();
      // It was called, or is not lazy any more, since this was asked for.
      if (plugin.callStats.calls !== calls || plan.config.load !== 'lazy') return Promise.resolve();
      const { digest } = plugin;
      this.postpone(entry, plan, { metadata, digest }, 'was idle and starts with its next use');
      supervisor.retire(entry, plugin, supervisor.changed());
      return Promise.resolve();
    });
  }

  /** Takes another library for a plugin that is not started. Nothing starts. @throws BackworksError why it is rejected */
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
