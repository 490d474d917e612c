import { type BackworksError, type PluginFailure, toBackworksError } from '../../errors.js';
import type { Log } from '../../log.js';
import type { RegistryEntry } from '../entry/registry-entry.js';
import type { SwapContext } from '../swap/swap-context.js';
import type { PluginSwapper } from '../swap/swap.js';
import { inQuarantine, type Quarantine } from '../records/quarantine.js';

export interface QuarantineEnforcerOptions {
  readonly log: Log;
  readonly quarantine: () => Promise<Quarantine>;
  readonly swapper: PluginSwapper;
  /** See SwapContext. */
  readonly changed: SwapContext['changed'];
}

/** Stops plugins whose libraries are in quarantine. */
export class QuarantineEnforcer {
  constructor(private readonly options: QuarantineEnforcerOptions) {}

  /** Quarantines the library of a plugin and stops the plugin. The library stays stopped until it is released. */
  quarantine(entry: RegistryEntry, failure: PluginFailure): void {
    const { plugin } = entry;
    if (plugin === null) return;
    const { log, quarantine } = this.options;
    const { name, config } = entry.plan;
    const { failures, windowMs } = config.quarantine;
    const { digest } = plugin;
    const reason = `${failures} failures within ${windowMs / 1000} s, the last: ${failure.message}`;
    const record = { digest, plugin: name, reason, since: new Date().toISOString() };
    // The record is written before the state change is reported, because other workers then read the record.
    entry.report(async () => {
      log.error({ plugin: name, digest }, `plugin ${name} is in quarantine: ${reason}`);
      try {
        await (await quarantine()).add(record);
      } catch (err) {
        log.error(
          { plugin: name, digest, err },
          `plugin ${name}: its quarantine is kept in memory only and will be lost at restart`,
        );
      }
    });
    this.stop(entry, inQuarantine(record, name));
  }

  /** Stops a plugin if another process of the server has quarantined its library. Never rejects. */
  async stopIfQuarantined(entry: RegistryEntry): Promise<void> {
    const { plugin } = entry;
    if (plugin === null) return;
    const { name } = entry.plan;
    try {
      await (await this.options.quarantine()).check(plugin.digest, name);
    } catch (thrown) {
      const error = toBackworksError(thrown);
      if (entry.plugin !== plugin) return;
      this.options.log.error({ plugin: name, code: error.code }, error.message);
      this.stop(entry, error);
    }
  }

  private stop(entry: RegistryEntry, error: BackworksError): void {
    this.options.swapper.end(entry, 'the version that serves failed too often');
    const plugin = entry.fail(error);
    void this.options.changed();
    entry.report(async () => plugin?.close());
  }
}
