import { randomBytes } from 'node:crypto';
import { alertingServer } from './alerts/alert.js';
import { Alerts } from './alerts/alerts.js';
import { loadConfig, type LoadedConfig } from './config/load/load.js';
import type { BackworksConfig, PluginConfig } from './config/types.js';
import { PluginMetrics } from './metrics/plugin-metrics.js';
import { BackworksError } from './errors.js';
import { type Log, silentLog } from './log.js';
import { hostVersion } from './plugins/host-version.js';
import { createPluginParts, type PluginParts } from './lifecycle/plugin-parts.js';
import { configuredToRun } from './plugins/entry-of.js';
import { type PluginUsers, usersOf } from './plugins/plugin-users.js';
import { Quarantine, type QuarantinedLibrary } from './lifecycle/records/quarantine.js';
import type { SwapResult } from './lifecycle/swap/swap.js';
import type { SwapOrigin } from './lifecycle/entry/swap-record.js';
import type { PluginVerdict } from './lifecycle/registry/registry.js';
import type { PluginStatus } from './lifecycle/entry/status.js';
import type { RejectedLibrary } from './plugins/discovery.js';
import { HEAP_CHECKS } from './validation/children.js';
import {
  validateLibrary,
  type ValidatedAs,
  type ValidationReport,
  type ValidationWish,
} from './validation/validate.js';
import { VersionRecords } from './lifecycle/records/version-records.js';
import { type PluginRecord } from './lifecycle/records/version-history.js';
import {
  type PluginProfile,
  profileConfigured,
  profileFile,
  type ProfileSettings,
} from './profiling/profile.js';
import { Reloader } from './reload/reloader.js';
import type { ReloadReport } from './reload/report.js';
import { effectiveConfig } from './reload/settings.js';
import { Watches } from './reload/watches.js';
import { type AdminOptions, createAdminApp } from './admin/admin.js';
import { type HistoryDocument, historyDocument } from './admin/version-document.js';
import { listen, type Listener } from './http/listen.js';
import { createTraffic, type Traffic } from './traffic.js';

const ADMIN_TOKEN_BYTES = 24;

/** Options of a server that are not part of its configuration. */
export interface BackworksOptions {
  /** Receives log lines. Default: log lines are dropped. */
  readonly log?: Log;
  /** Values of the variables that `permissions.env` grants to plugins; default: none. */
  readonly environment?: NodeJS.ProcessEnv;
  /**
   * Reads the configuration again for a reload. Default: reads the file that the configuration came from, with the
   * environment variables of the process.
   */
  readonly load?: () => Promise<LoadedConfig>;
  /** Called with the configuration after each reload that takes effect. */
  readonly configured?: (config: BackworksConfig) => void;
}

/** Where a server listens. */
export interface BackworksAddress {
  /** Such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Null when the admin API is disabled. */
  readonly adminUrl: string | null;
  /** The generated admin token; null when the configuration sets one or the admin API is disabled. */
  readonly adminToken: string | null;
}

/** A server. `createBackworks()` makes one. */
export interface Backworks {
  /**
   * Discovers and loads plugins, then listens.
   * @throws BackworksError when a critical plugin does not start or an address is in use. Everything that was
   *   started is stopped first.
   */
  start(): Promise<BackworksAddress>;
  /** Drains for at most `server.shutdown.timeout`, then shuts plugins down. Never rejects. Idempotent. */
  stop(): Promise<void>;
  /**
   * Reads the configuration again and applies what changed while requests are served. Requests in flight
   * finish under the configuration they began with.
   * @param options with `dryRun` nothing changes; the report says what would
   * @throws ConfigError when the configuration is invalid; BackworksError BW_RELOAD_REFUSED when a critical
   *   plugin does not start or the server is not running. Nothing has changed then.
   */
  reload(options?: { readonly dryRun?: boolean }): Promise<ReloadReport>;
  /** Discovers and describes plugins without initializing them. @returns the plugins that would not start */
  inspect(): Promise<PluginVerdict[]>;
  /** The state of every plugin, in the order requests pass them. */
  plugins(): PluginStatus[];
  /** Files in plugin directories that are not usable plugins, with the reasons. */
  rejected(): readonly RejectedLibrary[];
  /**
   * Replaces the processes of a plugin while it serves. A plugin that failed is started again.
   * @throws BackworksError BW_PLUGIN_UNKNOWN, BW_PLUGIN_STATE, or the reason the plugin does not start
   */
  restartPlugin(name: string): Promise<void>;
  /**
   * Lifts the quarantine of a plugin's library and starts the plugin.
   * @throws BackworksError BW_PLUGIN_UNKNOWN, BW_PLUGIN_STATE, or the reason the plugin does not start
   */
  releasePlugin(name: string): Promise<void>;
  /**
   * Replaces the running version of a plugin by the library that is now at its path. The running version serves
   * until the new version is ready.
   * @param by recorded in the plugin's history
   * @throws BackworksError BW_PLUGIN_UNKNOWN, BW_PLUGIN_STATE, or the reason the new version does not start
   */
  swapPlugin(name: string, by?: SwapOrigin): Promise<SwapResult>;
  /**
   * Rolls a plugin back to a version that served before.
   * @param to how many versions back, or the first digits of a digest; default: the last good version
   * @param by recorded in the plugin's history
   * @throws BackworksError BW_PLUGIN_UNKNOWN, BW_PLUGIN_STATE, or the reason the version does not start
   */
  rollBackPlugin(name: string, to?: string, by?: SwapOrigin): Promise<void>;
  /**
   * The kept versions of a plugin, the versions that were rolled back, and the results of its swaps.
   * @throws BackworksError BW_PLUGIN_UNKNOWN
   */
  pluginHistory(name: string): Promise<PluginRecord>;
}

/**
 * Makes a server from a checked configuration. Nothing runs before `start()`. The server answers requests in
 * this process, whatever `server.workers` says.
 *
 * @example
 * ```ts
 * import { createBackworks, parseConfig } from 'backworks';
 *
 * const text = `
 * server: { port: 0 }
 * admin: { enabled: false }
 * endpoints: { hello: { path: /hello, response: { body: { hello: world } } } }
 * `;
 * const backworks = createBackworks(parseConfig(text, { directory: process.cwd() }).config);
 * const { url } = await backworks.start();
 * const answer = await fetch(`${url}/hello`);
 * console.log(answer.status, await answer.json()); // 200 { hello: 'world' }
 * await backworks.stop();
 * ```
 */
export function createBackworks(config: BackworksConfig, options: BackworksOptions = {}): Backworks {
  const { log = silentLog, environment = {} } = options;
  const traffic = createTraffic(config, { log, environment });
  return { ...operate(config, traffic, options), inspect: () => traffic.inspect() };
}

/** Adds what operators need to the traffic: admin API, alerts, reloads, and an orderly start and stop. */
export function operate(
  config: BackworksConfig,
  traffic: Traffic,
  options: BackworksOptions,
): Omit<Backworks, 'inspect'> {
  const server = new OperatedServer(config, traffic, options);
  const { control } = traffic;
  return {
    start: () => server.start(),
    stop: () => server.stop(),
    reload: (wish) => server.reload(wish),
    plugins: () => traffic.plugins(),
    rejected: () => traffic.rejected(),
    restartPlugin: (name) => control.restart(name),
    releasePlugin: (name) => control.release(name),
    swapPlugin: (name, by = 'admin') => control.swap(name, by),
    rollBackPlugin: (name, to, by = 'admin') => control.rollBack(name, by, to),
    pluginHistory: (name) => control.history(name),
  };
}

class OperatedServer {
  /** The running configuration. */
  private current: BackworksConfig;
  private readonly log: Log;
  private readonly generatedToken: string | null;
  private readonly startedAt = new Date();
  private readonly alerts: Alerts;
  private readonly reloader: Reloader;
  private readonly watches: Watches;
  private adminListener: Listener | null = null;
  private opening: Promise<BackworksAddress> | null = null;
  private stopping: Promise<void> | null = null;

  constructor(
    private readonly config: BackworksConfig,
    private readonly traffic: Traffic,
    private readonly options: BackworksOptions,
  ) {
    const { log = silentLog, load } = options;
    this.current = config;
    this.log = log;
    this.generatedToken =
      config.admin.token === '' ? randomBytes(ADMIN_TOKEN_BYTES).toString('base64url') : null;
    this.alerts = new Alerts({
      settings: config.alerts,
      server: alertingServer(config, hostVersion()),
      log,
      registry: traffic.metrics.registry,
    });
    traffic.onState((change) => this.alerts.note(change));
    this.reloader = new Reloader({
      load: load ?? configLoader(config),
      plan: (next) => traffic.plan(next),
      prepare: (next) => traffic.prepare(next),
      configured: (next) => this.configured(next),
      log,
    });
    // Errors are ignored here because the reloader and the registry log them.
    this.watches = new Watches(config.file, {
      configuration: () => void this.reload().catch(() => undefined),
      library: (name) => void traffic.control.swap(name, 'watch').catch(() => undefined),
    });
  }

  async start(): Promise<BackworksAddress> {
    try {
      return await (this.opening ??= this.open());
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  stop(): Promise<void> {
    return (this.stopping ??= this.close());
  }

  async reload({ dryRun = false }: { readonly dryRun?: boolean } = {}): Promise<ReloadReport> {
    await this.opening;
    if (this.opening === null || this.stopping !== null)
      throw new BackworksError('BW_RELOAD_REFUSED', 'the server is not running');
    return dryRun ? this.reloader.plan() : this.reloader.reload();
  }

  private configured(next: BackworksConfig): void {
    this.current = effectiveConfig(this.current, next);
    this.alerts.configure(this.current.alerts);
    void this.watches.follow(this.current);
    this.options.configured?.(this.current);
  }

  private async open(): Promise<BackworksAddress> {
    await this.watches.follow(this.config);
    const { log } = this;
    const { enabled, host, port } = this.config.admin;
    const admin = createAdminApp(this.adminOptions());
    if (enabled) this.adminListener = await listen(admin, { host, port, log });
    const { url } = await this.traffic.start();
    const adminUrl = this.adminListener?.url ?? null;
    return { url, adminUrl, adminToken: adminUrl === null ? null : this.generatedToken };
  }

  private async close(): Promise<void> {
    // Loading is not interrupted, because only a loaded plugin can be shut down.
    await this.opening?.catch(() => undefined);
    this.watches.stop();
    await this.reloader.idle();
    try {
      await this.traffic.stop();
    } finally {
      // The admin API answers until the plugins have shut down.
      await this.adminListener?.close({ timeoutMs: 0 });
      await this.alerts.close();
    }
  }

  private adminOptions(): AdminOptions {
    const { traffic, config, log } = this;
    const { metrics, control } = traffic;
    const token = (): string => this.current.admin.token || (this.generatedToken ?? '');
    const readToken = (): string => this.current.admin.readToken;
    return {
      refresh: () => traffic.refresh(),
      status: (worker) => ({
        plugins: traffic.plugins(worker),
        workers: traffic.workers(),
        rejected: traffic.rejected(),
        draining: this.stopping !== null,
        starting: !traffic.serving,
        startedAt: this.startedAt,
      }),
      metrics,
      control: { reload: (wish) => this.reload(wish), ...control },
      get token() {
        return token();
      },
      get readToken() {
        return readToken();
      },
      version: hostVersion(),
      configFile: config.file,
      log,
    };
  }
}

/**
 * Checks a library as `backworks plugin validate` does. Plugin code runs in separate processes, so a crash is
 * a result and not an error.
 *
 * @param path absolute, or relative to the working directory
 * @param as the plugin's configuration; default: `{}`
 * @param wish how much random input the hooks get, and its seed
 * @returns one entry for each check, in order
 *
 * @example
 * ```ts
 * import { validatePlugin } from 'backworks';
 *
 * const { ok, checks } = await validatePlugin('./plugins/libweather_plugin.so');
 * console.log(ok, checks[0]?.name, checks[0]?.outcome); // true file passed
 * ```
 */
export function validatePlugin(
  path: string,
  as?: Pick<ValidatedAs, 'config' | 'written'>,
  wish?: ValidationWish,
): Promise<ValidationReport> {
  return validateLibrary(path, { ...partsFor(HEAP_CHECKS), ...wish, as });
}

/**
 * Checks a plugin of a configuration with the policy and the `config:` block of its entry.
 * @param environment values of the variables that `permissions.env` grants
 * @param block replaces the `config:` block of the entry
 * @throws BackworksError BW_PLUGIN_UNKNOWN, BW_PLUGIN_UNSUPPORTED
 */
export async function validateConfigured(
  config: BackworksConfig,
  name: string,
  environment: NodeJS.ProcessEnv,
  block?: Pick<PluginConfig, 'config' | 'written'>,
  wish?: ValidationWish,
): Promise<ValidationReport> {
  const parts = partsFor({ ...environment, ...HEAP_CHECKS }, usersOf(config));
  const { entry, endpoints } = await configuredToRun(config, name, parts, block);
  const { path, type } = entry.config;
  if (path === null) {
    const message = `plugin ${name} has type "${type}", which has no library to check`;
    throw new BackworksError('BW_PLUGIN_UNSUPPORTED', message);
  }
  return validateLibrary(path, { ...parts, ...wish, endpoints, as: entry.config });
}

/** Measures a library's hooks as `backworks plugin profile PATH` does. */
export function profileLibrary(path: string, settings: ProfileSettings): Promise<PluginProfile> {
  return profileFile(path, settings, partsFor({}));
}

/**
 * Measures the hooks of a plugin of a configuration, with the policy of its entry.
 * @param environment values of the variables that `permissions.env` grants
 */
export function profilePlugin(
  config: BackworksConfig,
  name: string,
  settings: ProfileSettings,
  environment: NodeJS.ProcessEnv,
): Promise<PluginProfile> {
  return profileConfigured(config, name, settings, partsFor(environment, usersOf(config)));
}

function partsFor(environment: NodeJS.ProcessEnv, users?: PluginUsers): PluginParts {
  return createPluginParts({ metrics: new PluginMetrics(), log: silentLog, environment, users });
}

/** Reads the recorded versions of a plugin, as `backworks plugin history` does when no server runs. */
export async function readPluginHistory(
  { file }: Pick<BackworksConfig, 'file'>,
  name: string,
): Promise<HistoryDocument> {
  return historyDocument(name, await (await VersionRecords.open(file)).read(name));
}

/**
 * Lifts the quarantine of libraries, as `backworks plugin release` does when no server runs.
 *
 * @param which the name of a plugin, or at least the first eight digits of a library's digest
 * @returns the released libraries; empty if none was in quarantine
 *
 * @example
 * ```ts
 * import { releaseLibrary } from 'backworks';
 *
 * console.log(await releaseLibrary('weather')); // []
 * ```
 */
export async function releaseLibrary(which: string): Promise<QuarantinedLibrary[]> {
  return (await Quarantine.open()).release(which);
}

function configLoader({ file }: BackworksConfig): (() => Promise<LoadedConfig>) | null {
  return file === null ? null : () => loadConfig(file);
}
