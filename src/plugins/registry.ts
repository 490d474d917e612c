import type { BackworksConfig, PluginPolicy } from '../config/types.js';
import { BackworksError, type PluginFailure, toBackworksError } from '../errors.js';
import type { Log } from '../log.js';
import { discoverPlugins } from './discovery.js';
import type { LibraryReader } from './library-reader.js';
import type { LoadedPlugin } from './loaded-plugin.js';
import type { PluginLoader } from './loader.js';
import { planEntries } from './plugin-entry.js';
import { RegistryEntry } from './registry-entry.js';
import type { PluginStatus, RejectedLibrary } from './status.js';

const HEALTH_INTERVAL_MS = 10_000;

export interface PluginRegistryOptions {
  readonly log: Log;
  readonly reader: LibraryReader;
  readonly loader: PluginLoader;
  /** The policy of discovered plugins. */
  readonly defaults: PluginPolicy;
}

/** Every plugin by name, with its state, from discovery to shutdown. */
export class PluginRegistry {
  private readonly entries = new Map<string, RegistryEntry>();
  private rejectedLibraries: readonly RejectedLibrary[] = [];
  private healthTimer: NodeJS.Timeout | null = null;

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
          entry.metadata = await this.options.reader.read(path);
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
    this.healthTimer = setInterval(() => void this.checkHealth(), HEALTH_INTERVAL_MS);
    this.healthTimer.unref();
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

  /** Asks every plugin that has a health_check() how it is. */
  async checkHealth(): Promise<void> {
    await Promise.all(
      [...this.entries.values()].map(async (entry) => {
        if (entry.plugin === null) return;
        try {
          const { status, text } = await entry.plugin.health();
          const reason = text === '' ? `health check says ${status}` : `health check says ${status}: ${text}`;
          entry.condition('health', status === 'healthy' ? null : reason);
        } catch (error) {
          entry.condition('health', `health check failed: ${toBackworksError(error).message}`);
        }
      }),
    );
  }

  /** Shuts every plugin down, last loaded first, each within its time-box. */
  async close(): Promise<void> {
    if (this.healthTimer) clearInterval(this.healthTimer);
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
      const { version } = plugin.metadata;
      log.info({ plugin: name, version, isolation: entry.plan.config.isolation }, `plugin ${name} is ready`);
    } catch (thrown) {
      const error = toBackworksError(thrown);
      entry.fail(error);
      log.error({ plugin: name, code: error.code, ...evidence(error) }, error.message);
    }
  }

  private onFailed(entry: RegistryEntry, failure: PluginFailure): void {
    entry.condition('process', failure.message);
    const { code, plugin } = failure;
    this.options.log.error({ plugin, code, ...evidence(failure) }, failure.message);
  }
}

/** What a failure leaves behind for the log. */
function evidence(error: BackworksError): object {
  const { phase, signal, exitStatus, stderrTail } = error as Partial<PluginFailure>;
  return { phase, signal, exitStatus, stderr: stderrTail?.length ? stderrTail : undefined };
}
