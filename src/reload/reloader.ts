import type { BackworksConfig } from '../config/types.js';
import { BackworksError, toBackworksError } from '../errors.js';
import type { Log } from '../log.js';
import type { PluginRegistry } from '../plugins/registry.js';
import { type ReloadReport, summary, waitingForRestart } from './report.js';
import { inForce, planSettings } from './settings.js';

export interface ReloaderOptions {
  /** Reads the configuration anew; null when it came from nowhere that could be read again. */
  readonly load: (() => Promise<LoadedConfiguration>) | null;
  readonly registry: PluginRegistry;
  /** What is in force. */
  readonly current: () => BackworksConfig;
  /**
   * Makes ready what is not a plugin. What it gives puts the configuration in force for requests that
   * begin from then on, within the turn in which it is called, and throws nothing.
   * @throws BackworksError when the configuration cannot work
   */
  readonly prepare: (next: BackworksConfig) => () => void;
  readonly log: Log;
}

export interface LoadedConfiguration {
  readonly config: BackworksConfig;
  readonly warnings: readonly string[];
}

/** Puts a changed configuration in force while the server serves: load ▶ validate ▶ plan ▶ apply. */
export class Reloader {
  private running: Promise<unknown> = Promise.resolve();
  private next: Promise<ReloadReport> | null = null;

  constructor(private readonly options: ReloaderOptions) {}

  /**
   * Reloads. One reload runs at a time; whoever asks meanwhile is answered by the one that follows, which
   * reads the file after all of them have asked.
   * @throws ConfigError, or BackworksError BW_RELOAD_REFUSED and others: nothing has changed then
   */
  reload(): Promise<ReloadReport> {
    return (this.next ??= this.afterwards(() => {
      this.next = null;
      return this.apply();
    }));
  }

  /**
   * What a reload would do.
   * @throws ConfigError, BackworksError when it would not even begin
   */
  plan(): Promise<ReloadReport> {
    return this.afterwards(() => this.run(true));
  }

  /** Resolves when no reload is under way. */
  async idle(): Promise<void> {
    await this.running;
  }

  private afterwards<T>(work: () => Promise<T>): Promise<T> {
    const result = this.running.then(work);
    this.running = result.catch(() => undefined);
    return result;
  }

  private async apply(): Promise<ReloadReport> {
    const { log } = this.options;
    try {
      const report = await this.run(false);
      for (const { name, error, keptFormer } of report.failed) {
        const serving = keptFormer ? '; the former version goes on' : '';
        log.error({ plugin: name, code: error.code }, `not reloaded: ${error.message}${serving}`);
      }
      for (const warning of report.warnings) log.warn({}, warning);
      const { needsRestart } = report;
      if (needsRestart.length > 0)
        log.warn({ keys: needsRestart }, `needs a restart: ${needsRestart.join(', ')}`);
      log.info({ durationMs: Math.round(report.durationMs) }, `configuration reloaded: ${summary(report)}`);
      return report;
    } catch (thrown) {
      const error = toBackworksError(thrown);
      for (const line of error.message.split('\n')) log.error({ code: error.code }, `not reloaded: ${line}`);
      throw thrown;
    }
  }

  private async run(dryRun: boolean): Promise<ReloadReport> {
    const startedAtMs = performance.now();
    const { load, registry } = this.options;
    if (load === null) throw new BackworksError('BW_RELOAD_REFUSED', 'the configuration came from no file');
    const { config, warnings } = await load();
    return registry.exclusively(async () => {
      const former = this.options.current();
      const settings = planSettings(former, config);
      const next = inForce(former, config);
      const putInForce = this.options.prepare(next);
      const plan = await registry.plan(next);
      const report = {
        ...settings,
        dryRun,
        plugins: plan.changes,
        reordered: plan.reordered,
        needsRestart: waitingForRestart(plan, settings),
        warnings,
      };
      if (dryRun) return { ...report, failed: [], durationMs: performance.now() - startedAtMs };
      const change = await registry.prepare(plan).catch(refuse);
      putInForce();
      registry.commit(change, plan);
      return { ...report, failed: change.failed(), durationMs: performance.now() - startedAtMs };
    });
  }
}

function refuse(thrown: unknown): never {
  const { message, hint } = toBackworksError(thrown);
  throw new BackworksError('BW_RELOAD_REFUSED', `nothing was changed: ${message}`, { hint, cause: thrown });
}
