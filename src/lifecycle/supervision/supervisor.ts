import { BackworksError, toBackworksError } from '../../errors.js';
import type { Log } from '../../log.js';
import { QuarantineEnforcer } from './quarantine-enforcer.js';
import { HealthMonitor } from './health-monitor.js';
import { IdleWatch } from './idle-watch.js';
import { configJson } from '../../plugins/fitting-config.js';
import type { LoadedPlugin } from '../../plugins/loaded-plugin.js';
import type { LibraryChoice, PluginLoader } from '../../plugins/loader.js';
import type { PluginEntry } from '../../plugins/plugin-entry.js';
import type { PluginCalls } from '../dependencies/plugin-calls.js';
import { pluginEvents } from './plugin-events.js';
import { reportReady, reportSandbox } from './plugin-reports.js';
import type { PluginMetadata } from '../../plugins/metadata.js';
import type { PluginState } from '../entry/plugin-state.js';
import { evidence } from '../entry/post-mortem.js';
import type { Quarantine } from '../records/quarantine.js';
import type { RegistryEntry } from '../entry/registry-entry.js';
import { Retirement } from './retirement.js';
import { checkHealth } from '../swap/swap-candidate.js';
import { PluginSwapper, type SwapResult } from '../swap/swap.js';
import type { SwapContext } from '../swap/swap-context.js';
import type { SwapOrigin } from '../entry/swap-record.js';
import type { VersionKeeper } from '../records/version-keeper.js';

export interface PluginSupervisorOptions {
  readonly calls: PluginCalls;
  /** @throws PluginFailure BW_PLUGIN_DEPENDENCY when the version would break a dependency of a serving plugin */
  admit(entry: RegistryEntry, metadata: PluginMetadata): void;
  /** See SharedVersions. */
  readonly agree: (what: string) => Promise<void>;
  readonly log: Log;
  readonly loader: PluginLoader;
  /** Called when a lazy plugin was idle for `idle_after`. */
  idle(entry: RegistryEntry): void;
  readonly quarantine: () => Promise<Quarantine>;
  readonly keeper: VersionKeeper;
  /**
   * Called when the set of serving plugins has changed.
   * @returns resolves when every request that began before has ended
   */
  onChange(): Promise<void>;
  /** Longest time that a replaced plugin waits for its requests in flight. */
  readonly drainTimeoutMs: () => number;
}

/** Starts, watches, restarts and stops plugins, one entry at a time. */
export class PluginSupervisor implements SwapContext {
  readonly log: Log;
  readonly keeper: VersionKeeper;
  readonly swapper = new PluginSwapper(this);
  readonly enforcer: QuarantineEnforcer;
  private readonly health = new HealthMonitor();
  private readonly idleWatch: IdleWatch;
  private readonly retirement: Retirement;
  private closed = false;

  constructor(private readonly options: PluginSupervisorOptions) {
    this.log = options.log;
    this.keeper = options.keeper;
    this.enforcer = new QuarantineEnforcer({
      ...options,
      swapper: this.swapper,
      changed: () => this.changed(),
    });
    this.idleWatch = new IdleWatch((entry) => options.idle(entry));
    this.retirement = new Retirement(options.drainTimeoutMs, () => this.keeper.prune());
  }

  /** Loads a plugin. A plugin that fails is kept with its reason. Never rejects. */
  async load(entry: RegistryEntry): Promise<void> {
    entry.startLoading();
    try {
      const { plan } = entry;
      const plugin = await this.start(entry, plan, this.keeper.choose(plan), (digest) =>
        entry.identify(digest),
      );
      entry.finishLoading(plugin);
      entry.report(() => this.keeper.recordServing(plan, plugin.versionName));
      reportReady(this.log, entry, plugin);
    } catch (thrown) {
      this.fail(entry, toBackworksError(thrown));
    }
    if (this.closed) await entry.close();
    else this.watch(entry);
  }

  /**
   * Replaces the processes of a plugin while it serves. A failed plugin is started again.
   * @throws BackworksError BW_PLUGIN_STATE, or the reason the plugin does not start
   */
  async restart(entry: RegistryEntry): Promise<void> {
    const { name } = entry.plan;
    if (entry.plugin !== null) {
      await entry.plugin.restart();
      this.options.log.info({ plugin: name }, `plugin ${name} was restarted`);
      reportSandbox(this.log, entry);
      return;
    }
    if (entry.state !== 'failed') throw wrongState(entry, 'restarted');
    await this.startAgain(entry);
  }

  /**
   * Starts the library file that is now at the plugin's path beside the serving version, and switches when the new
   * version is healthy.
   * @throws BackworksError BW_PLUGIN_STATE, or the reason the new version is rejected; the old one keeps serving
   */
  async swap(entry: RegistryEntry, by: SwapOrigin): Promise<SwapResult> {
    if (entry.state === 'stopped') throw wrongState(entry, 'swapped');
    const choose = by === 'watch' ? this.keeper.choose(entry.plan) : this.keeper.chooseFile();
    return this.swapper.swap(entry, { by, choose });
  }

  /**
   * Rolls back to a version that served before.
   * @param to how many versions back, or the first digits of a digest
   * @throws BackworksError BW_PLUGIN_STATE, or the reason the version does not start; the current one keeps serving
   */
  async rollBack(entry: RegistryEntry, by: SwapOrigin, to?: string): Promise<void> {
    if (entry.state === 'stopped') throw wrongState(entry, 'rolled back');
    await this.swapper.rollBack(entry, by, to);
  }

  /**
   * Starts a plugin for an entry. The caller passes it to install() or closes it.
   * @throws BackworksError BW_PLUGIN_STATE, or the reason the plugin does not start
   */
  async prepare(entry: RegistryEntry, plan: PluginEntry): Promise<LoadedPlugin> {
    const plugin = await this.start(entry, plan, this.keeper.choose(plan), (digest) =>
      entry.identify(digest),
    );
    try {
      await checkHealth(plugin);
      return plugin;
    } catch (error) {
      await plugin.close();
      throw error;
    }
  }

  /**
   * Replaces the serving plugin by a prepared one.
   * @returns the former plugin unless it stays on standby; the caller retires it
   */
  install(entry: RegistryEntry, plan: PluginEntry, plugin: LoadedPlugin): LoadedPlugin | null {
    return this.swapper.install(entry, plan, plugin);
  }

  /** Like install(), without a standby version. @returns the former plugin; the caller retires it */
  replace(entry: RegistryEntry, plan: PluginEntry, plugin: LoadedPlugin): LoadedPlugin | null {
    const former = entry.replace(plan, plugin);
    entry.afterChange(() => this.watch(entry));
    entry.afterChange(() => reportReady(this.log, entry, plugin));
    return former;
  }

  /** Applies a new policy to a plugin; its processes stay. */
  adjust(entry: RegistryEntry, plan: PluginEntry): void {
    // The other version of a trial does not know the new configuration.
    if (isOtherConfig(entry.plan, plan)) this.swapper.end(entry, 'the configuration changed');
    entry.adjust(plan);
    if (entry.plugin !== null) entry.afterChange(() => this.watch(entry));
  }

  /**
   * Takes a plugin out of service.
   * @returns the former plugin; the caller retires it
   */
  remove(entry: RegistryEntry, reason: string): LoadedPlugin | null {
    this.stopWatching(entry, reason);
    const former = entry.stop(reason);
    if (former === null) return null;
    const { name } = entry.plan;
    entry.afterChange(() => former.withdraw());
    entry.afterChange(() => this.options.log.info({ plugin: name }, `plugin ${name} is ${reason}`));
    return former;
  }

  /** Ends the health checks, the idle watch and the trial of a plugin that is being taken out of service. */
  stopWatching(entry: RegistryEntry, reason: string): void {
    entry.afterChange(() => {
      this.health.unwatch(entry);
      this.idleWatch.unwatch(entry);
    });
    this.swapper.end(entry, reason);
  }

  /** Records and logs that a plugin does not start. */
  fail(entry: RegistryEntry, error: BackworksError): void {
    entry.fail(error);
    const { code, message } = error;
    const { name } = entry.plan;
    const fields = { plugin: name, code, ...evidence(error, entry.limits) };
    entry.afterChange(() => this.options.log.error(fields, message));
  }

  /**
   * Lifts the quarantine of a plugin's library and loads the plugin again.
   * @throws BackworksError BW_PLUGIN_STATE, or the reason the plugin does not start
   */
  async release(entry: RegistryEntry): Promise<void> {
    const { name } = entry.plan;
    await entry.reported();
    if (entry.state !== 'failed' || entry.plugin !== null) throw wrongState(entry, 'released');
    const quarantine = await this.options.quarantine();
    const lifted = await quarantine.release(entry.digest ?? name);
    // Another server or worker may already have lifted the quarantine.
    if (lifted.length === 0 && entry.error?.code !== 'BW_PLUGIN_QUARANTINED') {
      const hint = `see why it failed: backworks plugin status ${name}`;
      throw new BackworksError('BW_PLUGIN_STATE', `plugin ${name} is not in quarantine`, { hint });
    }
    this.options.log.info(
      { plugin: name, digest: entry.digest },
      `plugin ${name} was released from quarantine and starts again`,
    );
    entry.resetFailureCount();
    await this.startAgain(entry);
  }

  /** Stops all watches and closes retired plugins. A plugin that is loading is closed when loading ends. */
  async close(): Promise<void> {
    this.closed = true;
    this.health.close();
    this.idleWatch.close();
    await this.retirement.close();
  }

  /**
   * Loads and initializes a plugin. Its events change the entry only while this plugin serves.
   * @throws BackworksError the reason the plugin does not start, or that the server is stopping
   */
  async start(
    entry: RegistryEntry,
    plan: PluginEntry,
    choose: LibraryChoice,
    identified: (digest: string) => void,
  ): Promise<LoadedPlugin> {
    const { log, loader, calls } = this.options;
    let plugin: LoadedPlugin | null = null;
    const events = pluginEvents(entry, {
      log,
      calls,
      plan,
      plugin: () => plugin,
      identified,
      judge: (fatalReason) => this.swapper.judge(entry, fatalReason),
      quarantine: (failure) => this.enforcer.quarantine(entry, failure),
    });
    plugin = await loader.load(plan, events, choose);
    if (!this.closed) return plugin;
    await plugin.close();
    throw wrongState(entry, 'started');
  }

  admit(entry: RegistryEntry, metadata: PluginMetadata): void {
    this.options.admit(entry, metadata);
  }

  agree(what: string): Promise<void> {
    return this.options.agree(what);
  }

  changed(): Promise<void> {
    return this.options.onChange();
  }

  retire(entry: RegistryEntry, plugin: LoadedPlugin, ended: Promise<void>): void {
    this.retirement.add(entry, plugin, ended);
  }

  private watch(entry: RegistryEntry): void {
    this.health.watch(entry);
    this.idleWatch.watch(entry);
  }

  private async startAgain(entry: RegistryEntry): Promise<void> {
    if (this.closed) throw wrongState(entry, 'started');
    await this.load(entry);
    void this.options.onChange();
    if (entry.error !== null) throw entry.error;
  }
}

function isOtherConfig(before: PluginEntry, after: PluginEntry): boolean {
  return configJson(before.config) !== configJson(after.config);
}

const STATE_HINTS: Partial<Readonly<Record<PluginState, string>>> = {
  stopped: 'start the plugin first with: backworks plugin enable',
  lazy: 'the plugin starts on first use, or with: backworks plugin load',
};

/** @param what the impossible action, as a participle */
function wrongState({ plan, state }: RegistryEntry, what: string): BackworksError {
  const message = `plugin ${plan.name} is ${state} and cannot be ${what}`;
  return new BackworksError('BW_PLUGIN_STATE', message, { hint: STATE_HINTS[state] });
}
