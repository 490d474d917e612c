import type { LoadedPlugin } from '../../plugins/loaded-plugin.js';
import type { RegistryEntry } from '../entry/registry-entry.js';

/** Closes plugins that no longer serve, each after the last request that may still call it. */
export class Retirement {
  private readonly pending = new Set<Promise<void>>();
  private skipDrain = (): void => undefined;
  private readonly drainSkipped = new Promise<void>((resolve) => (this.skipDrain = resolve));

  /**
   * @param limitMs longest wait for requests in flight
   * @param after called when a plugin is closed and everything about it was reported; must not reject
   */
  constructor(
    private readonly limitMs: () => number,
    private readonly after: () => Promise<void>,
  ) {}

  /** @param ended resolves when all requests that may still call the plugin have ended */
  add(entry: RegistryEntry, plugin: LoadedPlugin, ended: Promise<void>): void {
    entry.addLeaving(plugin);
    const closing = within(Promise.race([ended, this.drainSkipped]), this.limitMs()).then(async () => {
      await plugin.close();
      entry.removeLeaving(plugin);
      await entry.reported();
      await this.after();
    });
    this.pending.add(closing);
    void closing.then(() => this.pending.delete(closing));
  }

  /** Stops waiting for requests. Resolves when every plugin is closed. */
  async close(): Promise<void> {
    this.skipDrain();
    await Promise.all(this.pending);
  }
}

/** Waits for a promise, but at most `ms`. */
async function within(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([promise, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}
