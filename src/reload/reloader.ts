import type { BackworksConfig } from '../config/types.js';
import { BackworksError, toBackworksError } from '../errors.js';
import { Mutex } from '../mutex.js';
import type { Log } from '../log.js';
import type { FailedChange } from '../lifecycle/registry/registry-change.js';
import type { PreparedReload, ReloadPlan } from './prepared-reload.js';
import { type ReloadReport, summary } from './report.js';

export interface ReloaderOptions {
  /** Reads the configuration anew; null when it came from nowhere that could be read again. */
  readonly load: (() => Promise<LoadedConfiguration>) | null;
  /**
   * What it takes to come to a configuration.
   * @throws BackworksError when it cannot work
   */
  readonly plan: (next: BackworksConfig) => Promise<ReloadPlan>;
  /**
   * Makes a configuration ready beside the one in force.
   * @throws BackworksError BW_RELOAD_REFUSED and others: nothing has changed then
   */
  readonly prepare: (next: BackworksConfig) => Promise<PreparedReload>;
  /** A configuration has come into force. */
  readonly configured: (next: BackworksConfig) => void;
  readonly log: Log;
}

export interface LoadedConfiguration {
  readonly config: BackworksConfig;
  readonly warnings: readonly string[];
}

/** Puts a changed configuration in force while the server serves: load ▶ validate ▶ plan ▶ apply. */
export class Reloader {
  private readonly reloads = new Mutex();
  private next: Promise<ReloadReport> | null = null;

  constructor(private readonly options: ReloaderOptions) {}

  /**
   * Reloads. One reload runs at a time; whoever asks meanwhile is answered by the one that follows, which
   * reads the file after all of them have asked.
   * @throws ConfigError, or BackworksError BW_RELOAD_REFUSED and others: nothing has changed then
   */
  reload(): Promise<ReloadReport> {
    return (this.next ??= this.reloads.run(() => {
      this.next = null;
      return this.apply();
    }));
  }

  /**
   * What a reload would do.
   * @throws ConfigError, BackworksError when it would not even begin
   */
  plan(): Promise<ReloadReport> {
    return this.reloads.run(() => this.run(true));
  }

  /** Resolves when no reload is under way. */
  idle(): Promise<void> {
    return this.reloads.idle();
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
    const { load, configured } = this.options;
    if (load === null) throw new BackworksError('BW_RELOAD_REFUSED', 'the configuration came from no file');
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
