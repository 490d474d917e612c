import type { BackworksConfig } from '../config/types.js';
import { BackworksError, toBackworksError } from '../errors.js';
import { Mutex } from '../mutex.js';
import type { Log } from '../log.js';
import type { FailedChange } from '../lifecycle/registry/registry-change.js';
import type { PreparedReload, ReloadPlan } from './prepared-reload.js';
import { type ReloadReport, summary } from './report.js';

export interface ReloaderOptions {
  /** Reads the configuration again; null if the configuration did not come from a file. */
  readonly load: (() => Promise<LoadedConfiguration>) | null;
  /**
   * Plans the change to a configuration.
   * @throws BackworksError when the configuration cannot work
   */
  readonly plan: (next: BackworksConfig) => Promise<ReloadPlan>;
  /**
   * Prepares a configuration beside the running one.
   * @throws BackworksError BW_RELOAD_REFUSED and others; nothing has changed then
   */
  readonly prepare: (next: BackworksConfig) => Promise<PreparedReload>;
  /** Called when a configuration has taken effect. */
  readonly configured: (next: BackworksConfig) => void;
  readonly log: Log;
}

export interface LoadedConfiguration {
  readonly config: BackworksConfig;
  readonly warnings: readonly string[];
}

/** Reloads the configuration while the server serves: load ▶ validate ▶ plan ▶ apply. */
export class Reloader {
  private readonly reloads = new Mutex();
  private next: Promise<ReloadReport> | null = null;

  constructor(private readonly options: ReloaderOptions) {}

  /**
   * Reloads the configuration. One reload runs at a time. Calls made while a reload waits for its turn share
   * that reload; it reads the file after all of these calls.
   * @throws ConfigError, or BackworksError BW_RELOAD_REFUSED and others; nothing has changed then
   */
  reload(): Promise<ReloadReport> {
    return (this.next ??= this.reloads.run(() => {
      this.next = null;
      return this.apply();
    }));
  }

  /**
   * A dry run: what a reload would do.
   * @throws ConfigError, or BackworksError when the reload would be refused at once
   */
  plan(): Promise<ReloadReport> {
    return this.reloads.run(() => this.run(true));
  }

  /** Resolves when no reload is running. */
  idle(): Promise<void> {
    return this.reloads.idle();
  }

  private async apply(): Promise<ReloadReport> {
    const { log } = this.options;
    try {
      const report = await this.run(false);
      for (const { name, error, previousServes } of report.failed) {
        const serving = previousServes ? '; the previous version keeps serving' : '';
        log.error({ plugin: name, code: error.code }, `plugin not reloaded: ${error.message}${serving}`);
      }
      for (const warning of report.warnings) log.warn({}, warning);
      const { needsRestart } = report;
      if (needsRestart.length > 0)
        log.warn(
          { keys: needsRestart },
          `takes effect after a restart of the server: ${needsRestart.join(', ')}`,
        );
      log.info({ durationMs: Math.round(report.durationMs) }, `configuration reloaded: ${summary(report)}`);
      return report;
    } catch (thrown) {
      const error = toBackworksError(thrown);
      for (const line of error.message.split('\n')) log.error({ code: error.code }, `reload failed: ${line}`);
      throw thrown;
    }
  }

  private async run(dryRun: boolean): Promise<ReloadReport> {
    const startedAtMs = performance.now();
    const { load, configured } = this.options;
    if (load === null)
      throw new BackworksError('BW_RELOAD_REFUSED', 'the configuration did not come from a file');
    const { config, warnings } = await load();
    const report = (plan: ReloadPlan, failed: readonly FailedChange[]): ReloadReport => {
      return { ...plan, dryRun, warnings, failed, durationMs: performance.now() - startedAtMs };
    };
    if (dryRun) return report(await this.options.plan(config), []);
    const prepared = await this.options.prepare(config);
    const failed = await prepared.commit();
    configured(config);
    return report(prepared.plan, failed);
  }
}
