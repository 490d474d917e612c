import type { BackworksConfig, PluginPolicy } from '../config/types.js';
import { BackworksError, type PluginFailure, toBackworksError } from '../errors.js';
import type { Log } from '../log.js';
import { discoverPlugins } from './discovery.js';
import { HealthMonitor } from './health-monitor.js';
import type { LibraryReader } from './library-reader.js';
import type { LoadedPlugin } from './loaded-plugin.js';
import type { PluginLoader } from './loader.js';
import { missingPermissions } from './permissions.js';
import { planEntries } from './plugin-entry.js';
import type { Quarantine } from './quarantine.js';
import { RegistryEntry } from './registry-entry.js';
import type { PluginStatus, RejectedLibrary } from './status.js';

export interface PluginRegistryOptions {
  readonly log: Log;
  readonly reader: LibraryReader;
  readonly loader: PluginLoader;
  /** The policy of discovered plugins. */
  readonly defaults: PluginPolicy;
  readonly quarantine: () => Promise<Quarantine>;
  /** The set of plugins that serve is another one now. */
  onChange(): void;
}

/** Every plugin by name, with its state, from discovery to shutdown. */
export class PluginRegistry {
  private readonly entries = new Map<string, RegistryEntry>();
  private rejectedLibraries: readonly RejectedLibrary[] = [];
  private readonly health = new HealthMonitor();

  constructor(private readonly options: PluginRegistryOptions) {}

  /**
   * Finds out which plugins there are. No plugin is initialized.
   * @throws BackworksError BW_PLUGIN_DUPLICATE when two libraries claim one name.
   */
  async discover(config: BackworksConfig): Promise<void> {
    const { log, reader, defaults } = this.options;
    const { enabled, directories } = config.autoDiscover;
    const discovery = await discoverPlugins(enabled ? directories : [], reader);
    const explicit = new Set(config.plugins.map((entry) => entry.path));
    this.rejectedLibraries = discovery.rejected.filter(({ path }) => !explicit.has(path));
    for (const { path, code, reason } of this.rejectedLibraries) {
      log.warn({ path, code }, `not loaded: ${reason}`);
    }
    const metadata = new Map(discovery.found.map((library) => [library.path, library.metadata]));
    for (const entry of planEntries(config, discovery.found, defaults)) {
      const known = entry.config.path === null ? undefined : metadata.get(entry.config.path);
      this.entries.set(entry.name, new RegistryEntry(entry, known ?? null));
    }
  }

  /** Reads the metadata of explicit entries too, for a list without a server. */
  async describeAll(): Promise<void> {
    const pending = [...this.entries.values()].filter(({ metadata }) => metadata === null);
    await Promise.all(
      pending.map(async (entry) => {
        const { path, type } = entry.plan.config;
        if (path === null) {
          entry.fail(new BackworksError('BW_PLUGIN_UNSUPPORTED', `type "${type}" cannot be served yet`));
          return;
        }
        try {
          entry.metadata = await this.options.reader.read(path, entry.plan.config);
        } catch (error) {
          entry.fail(toBackworksError(error));
        }
      }),
    );
  }

  /**
   * Loads every enabled plugin, side by side. A plugin that fails is kept with its reason.
   * @throws the failure of the first critical plugin, after everything else has settled.
   */
  async loadAll(): Promise<void> {
    const entries = [...this.entries.values()].filter(({ plan }) => plan.config.enabled);
    await Promise.all(entries.map((entry) => this.load(entry)));
    const critical = entries.find((entry) => entry.critical && entry.state === 'failed');
    if (critical?.error) throw critical.error;
    for (const entry of entries) this.health.watch(entry);
  }

  /** The plugins that serve, in the order of the configuration. */
  loaded(): LoadedPlugin[] {
    return [...this.entries.values()].flatMap(({ plugin }) => plugin ?? []);
  }

  /** Every plugin's state. */
  status(): PluginStatus[] {
    return [...this.entries.values()].map((entry) => entry.status());
  }

  rejected(): readonly RejectedLibrary[] {
    return this.rejectedLibraries;
  }

  /** Shuts every plugin down, last loaded first, each within its time-box. */
  async close(): Promise<void> {
    this.health.close();
    for (const entry of [...this.entries.values()].reverse()) await entry.close();
  }

  private async load(entry: RegistryEntry): Promise<void> {
    const { log, loader } = this.options;
    const { name } = entry.plan;
    entry.loading();
    try {
      const plugin = await loader.load(entry.plan, {
        failed: (failure) => this.onFailed(entry, failure),
        recovered: () => {
          entry.condition('process', null);
          log.info({ plugin: name }, `plugin ${name} serves again`);
        },
        circuit: (state) => {
          entry.condition('circuit', state === 'closed' ? null : `its circuit is ${state}`);
          log.warn({ plugin: name, circuit: state }, `circuit of plugin ${name} is ${state}`);
        },
      });
      entry.ready(plugin);
      this.announce(entry, plugin);
    } catch (thrown) {
      const error = toBackworksError(thrown);
      entry.fail(error);
      log.error({ plugin: name, code: error.code, ...evidence(error) }, error.message);
    }
  }

  private announce(entry: RegistryEntry, { metadata, sandbox }: LoadedPlugin): void {
    const { log } = this.options;
    const { name, config } = entry.plan;
    const { version } = metadata;
    log.info({ plugin: name, version, isolation: config.isolation }, `plugin ${name} is ready`);
    for (const missing of missingPermissions(metadata.permissions, config.permissions)) {
      log.warn({ plugin: name }, `${name} asks for ${missing}; grant it or the plugin may fail`);
    }
    for (const missing of sandbox?.missing ?? []) {
      log.warn(
        { plugin: name, sandbox: config.sandbox },
        `the sandbox of plugin ${name} is incomplete: ${missing}`,
      );
    }
  }

  private onFailed(entry: RegistryEntry, failure: PluginFailure): void {
    const tooOften = entry.failed(failure);
    entry.condition('process', failure.message);
    const { code, plugin } = failure;
    this.options.log.error({ plugin, code, ...evidence(failure) }, failure.message);
    if (tooOften) void this.quarantine(entry, failure);
  }

  /** Stops a plugin that keeps failing; its library is not started again until somebody says so. */
  private async quarantine(entry: RegistryEntry, failure: PluginFailure): Promise<void> {
    const plugin = entry.take();
    if (plugin === null) return;
    this.options.onChange();
    const { name, config } = entry.plan;
    const { failures, windowMs } = config.quarantine;
    const reason = `${failures} failures within ${windowMs / 1000} s, the last: ${failure.message}`;
    const quarantine = await this.options.quarantine();
    await quarantine.add(plugin.digest, name, reason);
    await quarantine
      .check(plugin.digest, name)
      .catch((error: unknown) => entry.fail(toBackworksError(error)));
    this.options.log.error(
      { plugin: name, digest: plugin.digest },
      `plugin ${name} is in quarantine: ${reason}`,
    );
    await plugin.close();
  }
}

/** What a failure leaves behind for the log. */
function evidence(error: BackworksError): object {
  const { phase, outcome, signal, exitStatus, at, systemCall, requestId, stderrTail } =
    error as Partial<PluginFailure>;
  const stderr = stderrTail?.length ? stderrTail : undefined;
  return { phase, outcome, signal, exitStatus, at, systemCall, requestId, stderr };
}
