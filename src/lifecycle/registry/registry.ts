import type { BackworksConfig, PluginPolicy } from '../../config/types.js';
import { BackworksError } from '../../errors.js';
import { Mutex } from '../../mutex.js';
import { LibraryDigests } from '../../native/library/library-digests.js';
import { dependentsOf, type Provider, type Resolution } from '../dependencies/dependency-resolver.js';
import type { LibraryReader } from '../../plugins/library-reader.js';
import { describeEntry } from './entry-description.js';
import { findLibrary } from './library-search.js';
import { LazyLoading } from '../lazy/lazy-loading.js';
import { startsWithServer } from '../lazy/lazy-start.js';
import { loadInOrder } from '../dependencies/load-order.js';
import type { BackworksPlugin, CanaryPlugin } from '../../plugins/plugin.js';
import { PluginCalls } from '../dependencies/plugin-calls.js';
import { RegistryChange } from './registry-change.js';
import { RegistryEntry } from '../entry/registry-entry.js';
import { planConfiguration, planPluginEdit, type RegistryPlan } from './registry-plan.js';
import { refusingPlugin } from '../supervision/refusing-plugin.js';
import type { PluginState } from '../entry/plugin-state.js';
import type { PluginStatus, StateChange } from '../entry/status.js';
import type { RejectedLibrary } from '../../plugins/discovery.js';
import { relationsOf } from '../dependencies/relations.js';
import type { SwapResult } from '../swap/swap.js';
import type { SwapOrigin, SwapRecord } from '../entry/swap-record.js';
import { followVersion } from '../swap/version-follower.js';
import type { PluginRecord } from '../records/version-history.js';
import { resolveDependencies, type SurveyedPlugin, surveyPlugins } from '../dependencies/survey.js';
import { admitVersion } from './version-admission.js';
import type { KeyValueStore } from '../../services/key-value-store.js';
import { PluginSupervisor, type PluginSupervisorOptions } from '../supervision/supervisor.js';

export interface PluginRegistryOptions extends Omit<PluginSupervisorOptions, 'calls' | 'admit' | 'idle'> {
  readonly reader: LibraryReader;
  /** The policy of discovered plugins. */
  readonly defaults: PluginPolicy;
  readonly keyValues: KeyValueStore;
  /** Called when a plugin has entered a state. */
  readonly onState?: (change: StateChange) => void;
}

/** A plugin that would not start, and why. The server does not start if such a plugin is critical. */
export interface PluginVerdict {
  readonly name: string;
  readonly critical: boolean;
  readonly error: BackworksError;
  /** Its entry as `file:line:column`; null for a discovered plugin. */
  readonly where: string | null;
}

/** All plugins of the server by name, with their states, from discovery to shutdown. */
export class PluginRegistry {
  private entries = new Map<string, RegistryEntry>();
  private readonly digests = new LibraryDigests();
  private rejectedLibraries: readonly RejectedLibrary[] = [];
  private resolution: Resolution = { order: [], providers: new Map(), failures: new Map() };
  private readonly supervisor: PluginSupervisor;
  private readonly lazy: LazyLoading;
  /** Held during every change to the set of plugins. */
  private readonly changes = new Mutex();

  constructor(private readonly options: PluginRegistryOptions) {
    const providersOf = (name: string): readonly Provider[] => this.resolution.providers.get(name) ?? [];
    const calls = new PluginCalls({
      find: (name) => this.entries.get(name)?.serving ?? null,
      providersOf,
      log: options.log,
    });
    this.supervisor = new PluginSupervisor({
      ...options,
      calls,
      admit: ({ plan: { name } }, metadata) =>
        admitVersion(name, metadata, this.surveyed(), (other) => Boolean(this.entries.get(other)?.serving)),
      idle: (entry) => void this.lazy.stopIdle(entry),
      onChange: () => {
        // Another version may have other capabilities and dependencies.
        this.resolution = resolveDependencies(this.surveyed());
        return options.onChange();
      },
    });
    this.lazy = new LazyLoading({
      ...options,
      supervisor: this.supervisor,
      find: (name) => this.find(name),
      providersOf,
      dependents: (name) => dependentsOf(name, this.resolution.providers),
      exclusively: (work) => this.exclusively(work),
    });
  }

  /**
   * Finds all plugins. No plugin is initialized.
   * @throws BackworksError BW_PLUGIN_DUPLICATE when two libraries claim one name
   */
  async discover(config: BackworksConfig): Promise<void> {
    const { log, reader, defaults } = this.options;
    const { plugins, rejected, resolution } = await surveyPlugins(config, reader, defaults);
    this.rejectedLibraries = rejected;
    this.resolution = resolution;
    for (const { path, code, reason } of rejected) log.warn({ path, code }, `library not loaded: ${reason}`);
    for (const plugin of plugins) this.entries.set(plugin.entry.name, this.createEntry(plugin));
  }

  /**
   * Checks every plugin as loadAll() does, as far as possible without initializing it: its library, metadata,
   * quarantine and dependencies. A plugin that fails is kept with its reason.
   */
  async describeAll(): Promise<void> {
    await loadInOrder(this.resolution, async (name, refusal) => {
      const entry = this.find(name);
      if (refusal === null) await describeEntry(entry, this.options);
      else entry.fail(refusal);
      return entry.error;
    });
    const disabled = [...this.entries.values()].filter(({ plan }) => !plan.config.enabled);
    await Promise.all(disabled.map((entry) => describeEntry(entry, this.options)));
  }

  /** Enabled plugins that failed, in the order of the configuration. */
  verdicts(): PluginVerdict[] {
    return [...this.entries.values()].flatMap(({ plan, critical, error }) =>
      error === null || !plan.config.enabled
        ? []
        : [{ name: plan.name, critical, error, where: plan.config.where }],
    );
  }

  /**
   * Loads every enabled plugin after the plugins it depends on. A plugin that fails is kept with its reason.
   * @throws BackworksError the error of the first critical plugin that failed, after all others have settled
   */
  async loadAll(): Promise<void> {
    const entries = [...this.entries.values()].filter(({ plan }) => plan.config.enabled);
    const atOnce = startsWithServer(this.surveyed(), this.resolution);
    await loadInOrder(this.resolution, async (name, refusal) => {
      const entry = this.find(name);
      if (refusal !== null) this.supervisor.fail(entry, refusal);
      else if (atOnce.has(name)) await this.supervisor.load(entry);
      else await this.lazy.postponeAtStart(entry);
      return entry.error;
    });
    await this.options.keeper.prune();
    const critical = entries.find((entry) => entry.critical && entry.state === 'failed');
    if (critical?.error) throw critical.error;
  }

  /** The plugins that requests pass, in the order of the configuration; failed critical ones as stand-ins. */
  inService(): BackworksPlugin[] {
    return [...this.entries.values()].flatMap((entry) => entry.serving ?? refusingPlugin(entry) ?? []);
  }

  /** Canary versions: each replaces the plugin of the same name for a share of the requests. */
  canaries(): CanaryPlugin[] {
    return [...this.entries.values()].flatMap(({ trial }) =>
      trial?.stage === 'canary' ? { plugin: trial.other, percent: trial.percent } : [],
    );
  }

  status(): PluginStatus[] {
    return statusList([...this.entries.values()], this.resolution.providers);
  }

  rejected(): readonly RejectedLibrary[] {
    return this.rejectedLibraries;
  }

  /**
   * Replaces the processes of a plugin while it serves. A failed plugin is started again.
   * @throws BackworksError BW_PLUGIN_UNKNOWN, BW_PLUGIN_STATE, or the reason the plugin does not start
   */
  async restart(name: string): Promise<void> {
    const entry = this.find(name);
    // New processes for a serving plugin do not change the set of plugins. Starting a failed one does.
    if (entry.plugin !== null) await this.supervisor.restart(entry);
    else await this.exclusively(() => this.supervisor.restart(this.find(name)));
  }

  /**
   * Lifts a plugin's quarantine and loads the plugin again.
   * @throws BackworksError BW_PLUGIN_UNKNOWN, BW_PLUGIN_STATE, or the reason the plugin does not start
   */
  async release(name: string): Promise<void> {
    await this.exclusively(() => this.supervisor.release(this.find(name)));
  }

  /**
   * Starts the library file that is now at the plugin's path beside the serving version, and switches to the new
   * version when it is healthy.
   * @throws BackworksError BW_PLUGIN_UNKNOWN, BW_PLUGIN_STATE, or the reason the new version is rejected
   */
  async swap(name: string, by: SwapOrigin): Promise<SwapResult> {
    return this.exclusively(() => {
      const entry = this.find(name);
      return entry.state === 'lazy' ? this.lazy.swap(entry) : this.supervisor.swap(entry, by);
    });
  }

  /**
   * Rolls a plugin back to a version that served before.
   * @param to how many versions back, or the first digits of a digest; default: the last good version
   * @throws BackworksError BW_PLUGIN_UNKNOWN, BW_PLUGIN_STATE, or the reason the version does not start
   */
  async rollBack(name: string, by: SwapOrigin, to?: string): Promise<void> {
    await this.exclusively(() => this.supervisor.rollBack(this.find(name), by, to));
  }

  /**
   * Applies a swap or rollback that happened in another process of the server.
   * @throws BackworksError the reason it cannot be applied
   */
  async follow(name: string, record: SwapRecord): Promise<void> {
    await this.exclusively(() => followVersion(this.find(name), record, this.supervisor));
  }

  /** Stops a plugin if another process of the server has quarantined its library. */
  async stopIfQuarantined(name: string): Promise<void> {
    await this.exclusively(() => this.supervisor.enforcer.stopIfQuarantined(this.find(name)));
  }

  /** The recorded versions and swaps of a plugin. @throws BackworksError BW_PLUGIN_UNKNOWN */
  async history(name: string): Promise<PluginRecord> {
    const { plan } = this.find(name);
    return this.options.keeper.read(plan.name);
  }

  /** Starts a lazy plugin. Call it within exclusively(). @throws BackworksError the reason it does not start */
  async start(name: string): Promise<void> {
    await this.lazy.start(name);
  }

  /** Starts a failed plugin again. Call it within exclusively(). @throws BackworksError the reason it does not start */
  async startAgain(name: string): Promise<void> {
    await this.supervisor.restart(this.find(name));
  }

  /** Runs work while no other change to the set of plugins runs. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.changes.run(work);
  }

  /**
   * Blocks other changes to the set of plugins. close() waits for the release, so the caller releases in a
   * `finally`.
   * @returns the release function; idempotent
   */
  lock(): Promise<() => void> {
    return this.changes.acquire();
  }

  /**
   * Plans the change to a configuration. New libraries are described; nothing is started.
   * @throws BackworksError BW_PLUGIN_DUPLICATE when two libraries claim one name
   */
  async plan(config: BackworksConfig): Promise<RegistryPlan> {
    return planConfiguration([...this.entries.values()], config, { ...this.options, digests: this.digests });
  }

  /**
   * Plans a change by an operator's command. Directories are not searched and library files are not read again.
   * @param edit maps the current plugins to the wanted ones
   */
  planEdit(
    edit: (plugins: readonly SurveyedPlugin[]) => readonly SurveyedPlugin[],
    stopReason: string,
  ): RegistryPlan {
    const entries = [...this.entries.values()];
    return planPluginEdit(entries, edit(this.surveyed()), this.rejectedLibraries, stopReason);
  }

  /**
   * Starts the new plugins of a plan. The caller commits or aborts the returned change.
   * @throws BackworksError the error of the first critical plugin that does not start, or BW_PLUGIN_DEPENDENCY
   *   when a serving plugin would lose a dependency; nothing has changed then
   */
  async prepare({ survey, changes, stopReason }: RegistryPlan): Promise<RegistryChange> {
    for (const [name, failure] of survey.resolution.failures) {
      if (this.entries.get(name)?.serving) throw failure;
    }
    const change = new RegistryChange(this.supervisor, this.lazy, {
      entries: this.entries,
      create: (plugin) => this.createEntry(plugin),
      targets: survey.plugins,
      resolution: survey.resolution,
      changes,
      stopReason,
      onChange: () => this.options.onChange(),
    });
    await change.prepare();
    return change;
  }

  /**
   * Switches to the prepared plugins within one turn of the event loop.
   * @param applySettings applies what else changes with the plugins; returns a function that undoes it
   * @throws the error of `applySettings` or of a listener; everything is as before then, and the caller aborts the
   *   change
   */
  commit(
    change: RegistryChange,
    { survey }: RegistryPlan,
    applySettings: () => () => void = () => () => undefined,
  ): void {
    const { entries: former, rejectedLibraries, resolution } = this;
    const entries = new Map<string, RegistryEntry>();
    let undoSettings = (): void => undefined;
    try {
      change.commit(
        (entry) => entries.set(entry.plan.name, entry),
        () => {
          undoSettings = applySettings();
          this.entries = entries;
          this.rejectedLibraries = survey.rejected;
          this.resolution = survey.resolution;
          return this.options.onChange();
        },
      );
      this.options.keyValues.keepOnly(entries);
    } catch (thrown) {
      undoSettings();
      Object.assign(this, { entries: former, rejectedLibraries, resolution });
      this.announceAgain();
      throw thrown;
    }
  }

  /** Shuts all plugins down, last loaded first, each within its shutdown timeout. */
  async close(): Promise<void> {
    const retired = this.supervisor.close();
    for (const entry of [...this.entries.values()].reverse()) await entry.close();
    // A plugin that is starting is closed by the change that started it.
    await Promise.all([retired, this.changes.idle()]);
  }

  /**
   * Finds a library in directories by its plugin name or its file name; null if there is none.
   * @throws BackworksError when the file exists but is not a usable plugin
   */
  findLibrary(which: string, directories: readonly string[]): Promise<SurveyedPlugin | null> {
    const { reader, defaults } = this.options;
    return findLibrary(which, directories, reader, defaults);
  }

  /** Serving plugins that depend on the named one, directly or indirectly. */
  dependents(name: string): string[] {
    return dependentsOf(name, this.resolution.providers).filter((other) => this.entries.get(other)?.serving);
  }

  /** A listener that failed may have taken over plugins of the change that was undone. */
  private announceAgain(): void {
    try {
      void this.options.onChange();
    } catch (err) {
      this.options.log.error(
        { err },
        'the plugins that serve could not be announced again after a failed change',
      );
    }
  }

  private surveyed(): SurveyedPlugin[] {
    return [...this.entries.values()].map(({ plan: entry, metadata }) => ({ entry, metadata }));
  }

  private createEntry({ entry, metadata }: SurveyedPlugin): RegistryEntry {
    return new RegistryEntry(entry, metadata, this.options.onState);
  }

  private find(name: string): RegistryEntry {
    const entry = this.entries.get(name);
    if (entry !== undefined) return entry;
    const names = [...this.entries.keys()].join(', ') || 'none';
    const hint = `known plugins: ${names}`;
    throw new BackworksError('BW_PLUGIN_UNKNOWN', `no plugin is named ${JSON.stringify(name)}`, { hint });
  }
}

/** States of a plugin that requests will pass when loading has finished. */
const LOADING_STATES: readonly PluginState[] = ['discovered', 'loading'];

/** The status of every plugin, with its relations to the others. */
function statusList(entries: readonly RegistryEntry[], providers: Resolution['providers']): PluginStatus[] {
  const plugins = entries.map((entry) => {
    const status = entry.status();
    const { name, priority, state } = status;
    const passed = entry.serving !== null || LOADING_STATES.includes(state);
    return { name, priority, metadata: entry.metadata, passed, status };
  });
  return relationsOf(plugins, providers).map(({ plugin, ...relations }) => ({
    ...plugin.status,
    ...relations,
  }));
}
