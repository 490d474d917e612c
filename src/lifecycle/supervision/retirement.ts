import type { LoadedPlugin } from '../../plugins/loaded-plugin.js';
import type { RegistryEntry } from '../entry/registry-entry.js';

/** Closes plugins that serve no more, each after the last request that may still call it. */
export class Retirement {
  private readonly pending = new Set<Promise<void>>();
  private hurry = (): void => undefined;
  private readonly hurried = new Promise<void>((resolve) => (this.hurry = resolve));

  /**
   * @param limitMs how long requests in flight may keep a plugin
   * @param after is called when a plugin is closed and everything about it was reported; never rejects
   */
  constructor(
    private readonly limitMs: () => number,
    private readonly after: () => Promise<void>,
  ) {}

  /** @param ended resolves when the requests have ended that may still call it */
  add(entry: RegistryEntry, plugin: LoadedPlugin, ended: Promise<void>): void {
    entry.addLeaving(plugin);
    const closing = within(Promise.race([ended, this.hurried]), this.limitMs()).then(async () => {
      await plugin.close();
      entry.removeLeaving(plugin);
      await entry.reported();
      await this.after();
    });
    this.pending.add(closing);
    void closing.then(() => this.pending.delete(closing));
  }

  /** Waits for no request any more. @returns resolves when every plugin is closed */
  async close(): Promise<void> {
    this.hurry();
    await Promise.all(this.pending);
  }
}

/** Waits for something, but not for longer than `ms`. */
async function within(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([promise, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}
