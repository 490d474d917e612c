import type { BackworksConfig, PluginPolicy } from '../../config/types.js';
import { BackworksError } from '../../errors.js';
import { Mutex } from '../../mutex.js';
import { LibraryDigests } from '../../native/library/library-digests.js';
import { dependentsOf, type Provider, type Resolution } from '../dependencies/dependency-resolver.js';
import type { LibraryReader } from '../../plugins/library-reader.js';
import { describeEntry } from './entry-description.js';
import { findLibrary } from './library-search.js';
import { LazyLoading } from '../lazy/lazy-loading.js';
import { startsAtOnce } from '../lazy/lazy-start.js';
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
import { PluginSupervisor, type PluginSupervisorOptions } from '../supervision/supervisor.js';

export interface PluginRegistryOptions extends Omit<PluginSupervisorOptions, 'calls' | 'admit' | 'idle'> {
  readonly reader: LibraryReader;
  /** The policy of discovered plugins. */
  readonly defaults: PluginPolicy;
  /** A plugin entered a state. */
  readonly onState?: (change: StateChange) => void;
}

/** Why a plugin does not start. A server with a critical one does not start either. */
export interface PluginVerdict {
  readonly name: string;
  readonly critical: boolean;
  readonly error: BackworksError;
  /** Its entry as `file:line:column`; null for a discovered plugin. */
  readonly where: string | null;
}

/** Every plugin by name, with its state, from discovery to shutdown. */
export class PluginRegistry {
  private entries = new Map<string, RegistryEntry>();
  private readonly digests = new LibraryDigests();
  private rejectedLibraries: readonly RejectedLibrary[] = [];
  private resolution: Resolution = { order: [], providers: new Map(), failures: new Map() };
  private readonly supervisor: PluginSupervisor;
  private readonly lazy: LazyLoading;
  /** Held by whatever changes which plugins there are. */
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
        // Another version may provide and need something else.
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
   * Finds out which plugins there are. No plugin is initialized.
   * @throws BackworksError BW_PLUGIN_DUPLICATE when two libraries claim one name.
   */
  async discover(config: BackworksConfig): Promise<void> {
    const { log, reader, defaults } = this.options;
    const { plugins, rejected, resolution } = await surveyPlugins(config, reader, defaults);
    this.rejectedLibraries = rejected;
    this.resolution = resolution;
    for (const { path, code, reason } of rejected) log.warn({ path, code }, `not loaded: ${reason}`);
    for (const plugin of plugins) this.entries.set(plugin.entry.name, this.enter(plugin));
  }

  /**
   * Judges every plugin as loadAll() does, as far as that is possible without initializing it: its library,
   * its description, quarantine, and the plugins it needs. A plugin that fails is kept with its reason.
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

  /** Enabled plugins that do not start, in the order of the configuration. */
  verdicts(): PluginVerdict[] {
    return [...this.entries.values()].flatMap(({ plan, critical, error }) =>
      error === null || !plan.config.enabled
        ? []
        : [{ name: plan.name, critical, error, where: plan.config.where }],
    );
  }

  /**
   * Loads every enabled plugin, each after those it needs. A plugin that fails is kept with its reason.
   * @throws the failure of the first critical plugin, after everything else has settled.
   */
  async loadAll(): Promise<void> {
    const entries = [...this.entries.values()].filter(({ plan }) => plan.config.enabled);
    const atOnce = startsAtOnce(this.surveyed(), this.resolution);
    await loadInOrder(this.resolution, async (name, refusal) => {
      const entry = this.find(name);
      if (refusal !== null) this.supervisor.fail(entry, refusal);
      else if (atOnce.has(name)) await this.supervisor.load(entry);
      else await this.lazy.leave(entry);
      return entry.error;
    });
    await this.options.keeper.prune();
    const critical = entries.find((entry) => entry.critical && entry.state === 'failed');
    if (critical?.error) throw critical.error;
  }

  /** What requests pass, in the order of the configuration: plugins that serve, and what stands in for others. */
  inService(): BackworksPlugin[] {
    return [...this.entries.values()].flatMap((entry) => entry.serving ?? refusingPlugin(entry) ?? []);
  }

  /** Versions that get a share of the requests, beside the one that serves. */
  canaries(): CanaryPlugin[] {
    return [...this.entries.values()].flatMap(({ trial }) =>
      trial?.stage === 'canary' ? { plugin: trial.other, percent: trial.percent } : [],
    );
  }

  /** Every plugin's state. */
  status(): PluginStatus[] {
    return statusList([...this.entries.values()], this.resolution.providers);
  }

  rejected(): readonly RejectedLibrary[] {
    return this.rejectedLibraries;
  }

  /**
   * Gives a plugin new processes while it serves; a failed one gets another start.
   * @throws BackworksError BW_PLUGIN_UNKNOWN, BW_PLUGIN_STATE, or why it does not start
   */
  async restart(name: string): Promise<void> {
    const entry = this.find(name);
    // One that serves gets new processes and stays what it is; another start is a change.
    if (entry.plugin !== null) await this.supervisor.restart(entry);
    else await this.exclusively(() => this.supervisor.restart(this.find(name)));
  }

  /**
   * Lifts a plugin's quarantine and loads it again.
   * @throws BackworksError BW_PLUGIN_UNKNOWN, BW_PLUGIN_STATE, or why it does not start
   */
  async release(name: string): Promise<void> {
    await this.exclusively(() => this.supervisor.release(this.find(name)));
  }

  /**
   * Runs the file at a plugin's path as it is now, beside what serves until it is healthy.
   * @throws BackworksError BW_PLUGIN_UNKNOWN, BW_PLUGIN_STATE, or why it is rejected
   */
  async swap(name: string, by: SwapOrigin): Promise<SwapResult> {
    return this.exclusively(() => {
      const entry = this.find(name);
      return entry.state === 'lazy' ? this.lazy.swap(entry) : this.supervisor.swap(entry, by);
    });
  }

  /**
   * Goes back to a version of a plugin that served before.
   * @param to how many versions back, or the beginning of a digest; default: the last good one
   * @throws BackworksError BW_PLUGIN_UNKNOWN, BW_PLUGIN_STATE, or why it does not start
   */
  async rollBack(name: string, by: SwapOrigin, to?: string): Promise<void> {
    await this.exclusively(() => this.supervisor.rollBack(this.find(name), by, to));
  }

  /** Does what another process of the server has done about a plugin's versions. @throws BackworksError why it cannot */
  async follow(name: string, record: SwapRecord): Promise<void> {
    await this.exclusively(() => followVersion(this.find(name), record, this.supervisor));
  }

  /** Stops a plugin if another process of the server has put its library into quarantine. */
  async stopIfQuarantined(name: string): Promise<void> {
    await this.exclusively(() => this.supervisor.enforcer.stopIfQuarantined(this.find(name)));
  }

  /** What is remembered of a plugin's versions. @throws BackworksError BW_PLUGIN_UNKNOWN */
  async history(name: string): Promise<PluginRecord> {
    const { plan } = this.find(name);
    return this.options.keeper.read(plan.name);
  }

  /** Starts a plugin that waits for its first use, within exclusively(). @throws BackworksError why it does not */
  async start(name: string): Promise<void> {
    await this.lazy.start(name);
  }

  /** Another start of a plugin that failed, within exclusively(). @throws BackworksError why it does not start */
  async startAgain(name: string): Promise<void> {
    await this.supervisor.restart(this.find(name));
  }

  /** Does something while nothing else changes which plugins there are. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.changes.run(work);
  }

  /**
   * Keeps everything else from changing which plugins there are. close() waits for the release, so the caller
   * releases in a `finally`.
   * @returns the release; idempotent
   */
  lock(): Promise<() => void> {
    return this.changes.acquire();
  }

  /**
   * What it takes to come to another configuration. Libraries are described where they are new; nothing
   * else happens.
   * @throws BackworksError BW_PLUGIN_DUPLICATE when two libraries claim one name.
   */
  async plan(config: BackworksConfig): Promise<RegistryPlan> {
    return planConfiguration([...this.entries.values()], config, { ...this.options, digests: this.digests });
  }

  /**
   * What it takes to change entries by hand. Nothing is discovered, and no file is looked at again but
   * those of plugins that are to be loaded.
   * @param edit makes the plugins there should be of those there are
   */
  planEdit(
    edit: (plugins: readonly SurveyedPlugin[]) => readonly SurveyedPlugin[],
    stopReason: string,
  ): RegistryPlan {
    const entries = [...this.entries.values()];
    return planPluginEdit(entries, edit(this.surveyed()), this.rejectedLibraries, stopReason);
  }

  /**
   * Brings up what a plan adds; commit() or abort the change it gives.
   * @throws BackworksError of the first critical plugin that does not come up, or BW_PLUGIN_DEPENDENCY when
   *   something that serves would lose what it needs: nothing has changed then
   */
  async prepare({ survey, changes, stopReason }: RegistryPlan): Promise<RegistryChange> {
    for (const [name, failure] of survey.resolution.failures) {
      if (this.entries.get(name)?.serving) throw failure;
    }
    const change = new RegistryChange(this.supervisor, this.lazy, {
      entries: this.entries,
      create: (plugin) => this.enter(plugin),
      targets: survey.plugins,
      resolution: survey.resolution,
      changes,
      stopReason,
      onChange: () => this.options.onChange(),
    });
    await change.prepare();
    return change;
  }

  /** Switches to what was prepared, within one turn of the event loop. */
  commit(change: RegistryChange, { survey }: RegistryPlan): void {
    const entries = new Map<string, RegistryEntry>();
    change.commit(
      (entry) => entries.set(entry.plan.name, entry),
      () => {
        this.entries = entries;
        this.rejectedLibraries = survey.rejected;
        this.resolution = survey.resolution;
        return this.options.onChange();
      },
    );
  }

  /** Shuts every plugin down, last loaded first, each within its time-box. */
  async close(): Promise<void> {
    const retired = this.supervisor.close();
    for (const entry of [...this.entries.values()].reverse()) await entry.close();
    // What was just being brought up is closed by whoever did so.
    await Promise.all([retired, this.changes.idle()]);
  }

  /**
   * A library of some directories that is no plugin yet, by its name or its file's; null for none.
   * @throws BackworksError when what is there cannot be used
   */
  findLibrary(which: string, directories: readonly string[]): Promise<SurveyedPlugin | null> {
    const { reader, defaults } = this.options;
    return findLibrary(which, directories, reader, defaults);
  }

  /** Plugins that serve and depend on one, directly or through others. */
  dependents(name: string): string[] {
    return dependentsOf(name, this.resolution.providers).filter((other) => this.entries.get(other)?.serving);
  }

  private surveyed(): SurveyedPlugin[] {
    return [...this.entries.values()].map(({ plan: entry, metadata }) => ({ entry, metadata }));
  }

  private enter({ entry, metadata }: SurveyedPlugin): RegistryEntry {
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

/** A request passes it when it is loaded. */
const COMING: readonly PluginState[] = ['discovered', 'loading'];

/** The status of plugins: what each is by itself, and what it is to the others. */
function statusList(entries: readonly RegistryEntry[], providers: Resolution['providers']): PluginStatus[] {
  const plugins = entries.map((entry) => {
    const status = entry.status();
    const { name, priority, state } = status;
    const passed = entry.serving !== null || COMING.includes(state);
    return { name, priority, metadata: entry.metadata, passed, status };
  });
  return relationsOf(plugins, providers).map(({ plugin, ...relations }) => ({
    ...plugin.status,
    ...relations,
  }));
}
