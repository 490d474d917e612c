import { BackworksError, type PluginFailure, toBackworksError } from '../errors.js';
import type { Log } from '../log.js';
import { HealthMonitor } from './health-monitor.js';
import type { LoadedPlugin } from './loaded-plugin.js';
import type { PluginLoader } from './loader.js';
import { type PluginEntry, resolvePolicy } from './plugin-entry.js';
import { missingPermissions } from './permissions.js';
import { evidence } from './post-mortem.js';
import { inQuarantine, type Quarantine } from './quarantine.js';
import { refusalSentence } from './refusals.js';
import type { RegistryEntry } from './registry-entry.js';

export interface PluginSupervisorOptions {
  readonly log: Log;
  readonly loader: PluginLoader;
  readonly quarantine: () => Promise<Quarantine>;
  /**
   * The set of plugins that serve is another one now.
   * @returns resolves when every request has ended that began before
   */
  onChange(): Promise<void>;
  /** How long requests in flight may keep a plugin that was replaced. */
  drainTimeoutMs(): number;
}

/** Starts, watches, restarts and stops plugins, one entry at a time. */
export class PluginSupervisor {
  private readonly health = new HealthMonitor();
  /** What was replaced and waits for its last request. */
  private readonly retiring = new Set<Promise<void>>();
  private closed = false;
  private stop = (): void => undefined;
  private readonly stopped = new Promise<void>((resolve) => (this.stop = resolve));

  constructor(private readonly options: PluginSupervisorOptions) {}

  /** Loads a plugin; one that fails is kept with its reason. Never rejects. */
  async load(entry: RegistryEntry): Promise<void> {
    entry.loading();
    try {
      const plugin = await this.bringUp(entry, entry.plan, (digest) => (entry.digest = digest));
      entry.ready(plugin);
      this.announce(entry, plugin);
    } catch (thrown) {
      this.fail(entry, toBackworksError(thrown));
    }
    if (this.closed) await entry.close();
    else this.health.watch(entry);
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
      this.warnOfSandbox(entry);
      return;
    }
    if (entry.state !== 'failed') throw unsuitable(entry, 'restarted');
    await this.startAgain(entry);
  }

  /**
   * Runs a plugin as another plan says, or the file at its path as it is now. What serves goes on
   * until the new processes are ready; then every new request gets those, and the former ones end
   * after their last request. A plugin that does not serve is started.
   * @throws BackworksError BW_PLUGIN_STATE, or why it does not start; what served goes on as before
   */
  async replace(entry: RegistryEntry, plan: PluginEntry = entry.plan): Promise<void> {
    if (entry.plugin === null) {
      entry.plan = plan;
      await this.startAgain(entry);
      return;
    }
    if (entry.plan.config.isolation === 'in-process') throw inProcess(entry);
    const plugin = await this.prepare(entry, plan);
    const former = this.install(entry, plan, plugin);
    const ended = this.options.onChange();
    if (former !== null) this.retire(former, ended);
  }

  /**
   * Brings up what is to serve in an entry. install() it, or close it.
   * @throws BackworksError BW_PLUGIN_STATE, or why it does not start
   */
  async prepare(entry: RegistryEntry, plan: PluginEntry): Promise<LoadedPlugin> {
    const plugin = await this.bringUp(entry, plan, (digest) => {
      if (entry.plugin === null) entry.digest = digest;
    });
    if (!this.closed) return plugin;
    await plugin.close();
    throw unsuitable(entry, 'started');
  }

  /**
   * Puts a plugin that was prepared in the place of the one that serves.
   * @returns what served; the caller retires it
   */
  install(entry: RegistryEntry, plan: PluginEntry, plugin: LoadedPlugin): LoadedPlugin | null {
    const former = entry.take();
    entry.plan = plan;
    entry.succeed(plugin);
    this.announce(entry, plugin);
    this.health.watch(entry);
    return former;
  }

  /** Runs what serves in an entry under another policy; its processes stay. */
  adjust(entry: RegistryEntry, plan: PluginEntry): void {
    entry.plan = plan;
    if (entry.plugin === null) return;
    entry.plugin = entry.plugin.adjusted(resolvePolicy(plan.config, entry.metadata));
    this.health.watch(entry);
  }

  /**
   * Takes a plugin out of service.
   * @returns what served; the caller retires it
   */
  remove(entry: RegistryEntry, reason: string): LoadedPlugin | null {
    this.health.forget(entry);
    const former = entry.take();
    entry.stop(reason);
    if (former !== null)
      this.options.log.info({ plugin: entry.plan.name }, `plugin ${entry.plan.name} is ${reason}`);
    return former;
  }

  /** Takes note that a plugin does not start. */
  fail(entry: RegistryEntry, error: BackworksError): void {
    entry.fail(error);
    const { code, message } = error;
    const { name, config } = entry.plan;
    this.options.log.error({ plugin: name, code, ...evidence(error, config.limits) }, message);
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
    if (lifted.length === 0) {
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
    this.stop();
    this.health.close();
    await Promise.all(this.retiring);
  }

  /** Loads and initializes a plugin. What happens to it concerns the entry while it is the one that serves. */
  private async bringUp(
    entry: RegistryEntry,
    plan: PluginEntry,
    identified: (digest: string) => void,
  ): Promise<LoadedPlugin> {
    const { log, loader } = this.options;
    const { name } = plan;
    let plugin: LoadedPlugin | null = null;
    const serves = (): boolean => entry.plugin === plugin || plugin?.isSame(entry.plugin) === true;
    plugin = await loader.load(plan, {
      identified,
      failed: (failure, located) => {
        const tooOften = serves() && entry.failed(failure);
        this.reportFailure(entry, failure, located);
        if (serves()) entry.condition('process', failure.message);
        if (tooOften) this.confine(entry, failure);
      },
      recovered: () => {
        if (serves()) entry.condition('process', null);
        entry.report(() => log.info({ plugin: name }, `plugin ${name} serves again`));
      },
      answeredBadly: (failure) => {
        if (serves()) entry.answeredBadly(failure);
      },
      refused: (refusal) => {
        if (!entry.refusals.add(refusal)) return;
        const { permission, function: name, object } = refusal;
        const sentence = refusalSentence(plan.name, refusal, plan.config.permissions);
        log.warn({ plugin: plan.name, permission, function: name, object }, sentence);
      },
      circuit: (state) => {
        if (serves()) entry.circuitChanged(state);
        log.warn({ plugin: name, circuit: state }, `circuit of plugin ${name} is ${state}`);
      },
    });
    return plugin;
  }

  /** Closes a plugin that serves no more, when the requests have ended that may still call it. */
  retire(plugin: LoadedPlugin, ended: Promise<void>): void {
    const limitMs = this.options.drainTimeoutMs();
    const closing = within(Promise.race([ended, this.stopped]), limitMs).then(() => plugin.close());
    this.retiring.add(closing);
    void closing.then(() => this.retiring.delete(closing));
  }

  private async startAgain(entry: RegistryEntry): Promise<void> {
    if (this.closed) throw unsuitable(entry, 'started');
    await this.load(entry);
    void this.options.onChange();
    if (entry.error !== null) throw entry.error;
  }

  private announce(entry: RegistryEntry, { metadata }: LoadedPlugin): void {
    const { log } = this.options;
    const { name, config } = entry.plan;
    const { version } = metadata;
    log.info({ plugin: name, version, isolation: config.isolation }, `plugin ${name} is ready`);
    for (const missing of missingPermissions(metadata.permissions, config.permissions)) {
      log.warn({ plugin: name }, `${name} asks for ${missing}; grant it or the plugin may fail`);
    }
    this.warnOfSandbox(entry);
  }

  private warnOfSandbox({ plan, plugin }: RegistryEntry): void {
    const { name, config } = plan;
    for (const missing of plugin?.sandbox?.missing ?? []) {
      const message = `the sandbox of plugin ${name} is incomplete: ${missing}`;
      this.options.log.warn({ plugin: name, sandbox: config.sandbox }, message);
    }
  }

  private reportFailure(entry: RegistryEntry, failure: PluginFailure, located: Promise<PluginFailure>): void {
    const { limits } = entry.plan.config;
    entry.report(async () => {
      const detailed = await located;
      entry.detail(failure, detailed);
      const { code, plugin, message } = detailed;
      this.options.log.error({ plugin, code, ...evidence(detailed, limits) }, message);
    });
  }

  /** Stops a plugin that keeps failing; its library is not started again until somebody says so. */
  private confine(entry: RegistryEntry, failure: PluginFailure): void {
    const plugin = entry.take();
    if (plugin === null) return;
    const { log, quarantine } = this.options;
    const { name, config } = entry.plan;
    const { failures, windowMs } = config.quarantine;
    const { digest } = plugin;
    const reason = `${failures} failures within ${windowMs / 1000} s, the last: ${failure.message}`;
    const record = { digest, plugin: name, reason, since: new Date().toISOString() };
    entry.fail(inQuarantine(record, name));
    void this.options.onChange();
    entry.report(async () => {
      log.error({ plugin: name, digest }, `plugin ${name} is in quarantine: ${reason}`);
      try {
        await (await quarantine()).add(record);
      } catch (err) {
        log.error({ plugin: name, digest, err }, `the quarantine of plugin ${name} ends with this server`);
      }
      await plugin.close();
    });
  }
}

/** Waits for something, but not for longer than `ms`. */
async function within(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([promise, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}

function inProcess({ plan }: RegistryEntry): BackworksError {
  const message = `plugin ${plan.name} runs in the server's own process, where what is loaded stays`;
  const hint = 'restart the server, or use isolation: process';
  return new BackworksError('BW_PLUGIN_STATE', message, { hint });
}

function unsuitable({ plan, state }: RegistryEntry, what: string): BackworksError {
  const hint = state === 'stopped' ? 'a plugin that is disabled or shut down stays so' : undefined;
  const message = `plugin ${plan.name} is ${state} and cannot be ${what}`;
  return new BackworksError('BW_PLUGIN_STATE', message, { hint });
}
