import type { RegistryEntry } from '../entry/registry-entry.js';

/** Looks so many times within idle_after. */
const LOOKS = 4;
const INTERVAL_MIN_MS = 10;

/** Notices lazy plugins that nobody has called for as long as their policy says. */
export class IdleWatch {
  private readonly timers = new Map<RegistryEntry, NodeJS.Timeout>();

  /** @param idle is told of a plugin that was not called for so long, again and again while it stays so */
  constructor(private readonly idle: (entry: RegistryEntry) => void) {}

  /** Begins, or begins again with the plan as it is now. */
  watch(entry: RegistryEntry): void {
    this.forget(entry);
    const { load, idleAfterMs, isolation } = entry.plan.config;
    // What is loaded into the server itself stays there.
    if (load !== 'lazy' || idleAfterMs === 0 || isolation === 'in-process') return;
    let { plugin } = entry;
    let calls = plugin?.callStats.calls;
    let sinceMs = performance.now();
    const look = (): void => {
      const now = entry.plugin?.callStats.calls;
      if (entry.plugin !== plugin || now !== calls) {
        ({ plugin } = entry);
        calls = now;
        sinceMs = performance.now();
      } else if (plugin !== null && performance.now() - sinceMs >= idleAfterMs) this.idle(entry);
    };
    this.timers.set(entry, setInterval(look, Math.max(idleAfterMs / LOOKS, INTERVAL_MIN_MS)).unref());
  }

  forget(entry: RegistryEntry): void {
    clearInterval(this.timers.get(entry));
    this.timers.delete(entry);
  }

  close(): void {
    for (const timer of this.timers.values()) clearInterval(timer);
    this.timers.clear();
  }
}
