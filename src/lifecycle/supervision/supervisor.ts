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
  /** @throws PluginFailure BW_PLUGIN_DEPENDENCY when something that serves could not go on with a version */
  admit(entry: RegistryEntry, metadata: PluginMetadata): void;
  /** See SharedVersions. */
  readonly agree: (what: string) => Promise<void>;
  readonly log: Log;
  readonly loader: PluginLoader;
  /** A lazy plugin was not called for as long as its policy says. */
  idle(entry: RegistryEntry): void;
  readonly quarantine: () => Promise<Quarantine>;
  readonly keeper: VersionKeeper;
  /**
   * The set of plugins that serve is another one now.
   * @returns resolves when every request has ended that began before
   */
  onChange(): Promise<void>;
  /** How long requests in flight may keep a plugin that was replaced. */
  readonly drainTimeoutMs: () => number;
}

/** Starts, watches, restarts and stops plugins, one entry at a time. */
export class PluginSupervisor implements SwapContext {
  readonly log: Log;
  readonly keeper: VersionKeeper;
  readonly swapper = new PluginSwapper(this);
  readonly enforcer: QuarantineEnforcer;
  private readonly health = new HealthMonitor();
  private readonly idleness: IdleWatch;
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
    this.idleness = new IdleWatch((entry) => options.idle(entry));
    this.retirement = new Retirement(options.drainTimeoutMs, () => this.keeper.prune());
  }

  /** Loads a plugin; one that fails is kept with its reason. Never rejects. */
  async load(entry: RegistryEntry): Promise<void> {
    entry.startLoading();
    try {
      const { plan } = entry;
      const plugin = await this.bringUp(entry, plan, this.keeper.choose(plan), (digest) =>
        entry.identify(digest),
      );
      entry.finishLoading(plugin);
      entry.report(() => this.keeper.serves(plan, plugin.versionName));
      reportReady(this.log, entry, plugin);
    } catch (thrown) {
      this.fail(entry, toBackworksError(thrown));
    }
    if (this.closed) await entry.close();
    else this.watch(entry);
  }

  /**
   * Gives a plugin new processes, or another start when it failed. A plugin that serves goes on
   * serving meanwhile.
   * @throws BackworksError BW_PLUGIN_STATE, or why it does not start
   */
  async restart(entry: RegistryEntry): Promise<void> {
    const { name } = entry.plan;
    if (entry.plugin !== null) {
      await entry.plugin.restart();
      this.options.log.info({ plugin: name }, `plugin ${name} was restarted`);
      reportSandbox(this.log, entry);
      return;
    }
    if (entry.state !== 'failed') throw unsuitable(entry, 'restarted');
    await this.startAgain(entry);
  }

  /**
   * Runs the file at a plugin's path as it is now, beside what serves until it is healthy.
   * @throws BackworksError BW_PLUGIN_STATE, or why it is rejected; what served goes on as before
   */
  async swap(entry: RegistryEntry, by: SwapOrigin): Promise<SwapResult> {
    if (entry.state === 'stopped') throw unsuitable(entry, 'swapped');
    const choose = by === 'watch' ? this.keeper.choose(entry.plan) : this.keeper.chooseFile();
    return this.swapper.swap(entry, { by, choose });
  }

  /**
   * Goes back to a version that served before.
   * @param to how many versions back, or the beginning of a digest
   * @throws BackworksError BW_PLUGIN_STATE, or why it does not start; what served goes on as before
   */
  async rollBack(entry: RegistryEntry, by: SwapOrigin, to?: string): Promise<void> {
    if (entry.state === 'stopped') throw unsuitable(entry, 'rolled back');
    await this.swapper.rollBack(entry, by, to);
  }

  /**
   * Brings up what is to serve in an entry. install() it, or close it.
   * @throws BackworksError BW_PLUGIN_STATE, or why it does not start
   */
  async prepare(entry: RegistryEntry, plan: PluginEntry): Promise<LoadedPlugin> {
    const plugin = await this.bringUp(entry, plan, this.keeper.choose(plan), (digest) =>
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
   * Puts a plugin that was prepared in the place of the one that serves.
   * @returns what served and does not stand by; the caller retires it
   */
  install(entry: RegistryEntry, plan: PluginEntry, plugin: LoadedPlugin): LoadedPlugin | null {
    return this.swapper.install(entry, plan, plugin);
  }

  /** The same, and nothing stands by. @returns what served; the caller retires it */
  put(entry: RegistryEntry, plan: PluginEntry, plugin: LoadedPlugin): LoadedPlugin | null {
    const former = entry.replace(plan, plugin);
    reportReady(this.log, entry, plugin);
    this.watch(entry);
    return former;
  }

  /** Runs what serves in an entry under another policy; its processes stay. */
  adjust(entry: RegistryEntry, plan: PluginEntry): void {
    // The other version knows nothing of a configuration the one that serves was told.
    if (isOtherConfig(entry.plan, plan)) this.swapper.end(entry, 'the configuration changed');
    entry.adjust(plan);
    if (entry.plugin !== null) this.watch(entry);
  }

  /**
   * Takes a plugin out of service.
   * @returns what served; the caller retires it
   */
  remove(entry: RegistryEntry, reason: string): LoadedPlugin | null {
    this.leaveUnwatched(entry, reason);
    const former = entry.stop(reason);
    former?.withdraw();
    if (former !== null)
      this.options.log.info({ plugin: entry.plan.name }, `plugin ${entry.plan.name} is ${reason}`);
    return former;
  }

  /** Ends the watches and the trial of a plugin that is about to be taken out of service. */
  leaveUnwatched(entry: RegistryEntry, reason: string): void {
    this.health.forget(entry);
    this.idleness.forget(entry);
    this.swapper.end(entry, reason);
  }

  /** Takes note that a plugin does not start. */
  fail(entry: RegistryEntry, error: BackworksError): void {
    entry.fail(error);
    const { code, message } = error;
    const { name } = entry.plan;
    this.options.log.error({ plugin: name, code, ...evidence(error, entry.limits) }, message);
  }

  /**
   * Lifts the quarantine of a plugin's library and loads the plugin again.
   * @throws BackworksError BW_PLUGIN_STATE, or why it does not start
   */
  async release(entry: RegistryEntry): Promise<void> {
    const { name } = entry.plan;
    await entry.reported();
    if (entry.state !== 'failed' || entry.plugin !== null) throw unsuitable(entry, 'released');
    const quarantine = await this.options.quarantine();
    const lifted = await quarantine.release(entry.digest ?? name);
    // Another server, or another worker of this one, may have lifted it.
    if (lifted.length === 0 && entry.error?.code !== 'BW_PLUGIN_QUARANTINED') {
      const hint = `see why it failed: backworks plugin status ${name}`;
      throw new BackworksError('BW_PLUGIN_STATE', `plugin ${name} is not in quarantine`, { hint });
    }
    this.options.log.info({ plugin: name, digest: entry.digest }, `plugin ${name} is out of quarantine`);
    entry.forgive();
    await this.startAgain(entry);
  }

  /** Watches no longer, and waits for no request; plugins that are just being loaded are closed when they are. */
  async close(): Promise<void> {
    this.closed = true;
    this.health.close();
    this.idleness.close();
    await this.retirement.close();
  }

  /**
   * Loads and initializes a plugin. What happens to it concerns the entry while it is the one that serves.
   * @throws BackworksError why it does not start, or that the server stops
   */
  async bringUp(
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
      judge: (hopeless) => this.swapper.judge(entry, hopeless),
      quarantine: (failure) => this.enforcer.quarantine(entry, failure),
    });
    plugin = await loader.load(plan, events, choose);
    if (!this.closed) return plugin;
    await plugin.close();
    throw unsuitable(entry, 'started');
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
    this.idleness.watch(entry);
  }

  private async startAgain(entry: RegistryEntry): Promise<void> {
    if (this.closed) throw unsuitable(entry, 'started');
    await this.load(entry);
    void this.options.onChange();
    if (entry.error !== null) throw entry.error;
  }
}

function isOtherConfig(before: PluginEntry, after: PluginEntry): boolean {
  return configJson(before.config) !== configJson(after.config);
}

const STATE_HINTS: Partial<Readonly<Record<PluginState, string>>> = {
  stopped: 'a plugin that is disabled or shut down stays so',
  lazy: 'it starts with its first use, or by backworks plugin load',
};

/** @param what cannot be done, as a participle */
function unsuitable({ plan, state }: RegistryEntry, what: string): BackworksError {
  const message = `plugin ${plan.name} is ${state} and cannot be ${what}`;
  return new BackworksError('BW_PLUGIN_STATE', message, { hint: STATE_HINTS[state] });
}
