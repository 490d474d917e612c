import type { RegistryEntry } from '../entry/registry-entry.js';

/** Checks per `idle_after`. */
const CHECKS_PER_PERIOD = 4;
const INTERVAL_MIN_MS = 10;

/** Detects lazy plugins that were not called for `idle_after`. */
export class IdleWatch {
  private readonly timers = new Map<RegistryEntry, NodeJS.Timeout>();

  /** @param idle called for a plugin that has been idle for `idle_after`, repeatedly while the plugin stays idle */
  constructor(private readonly idle: (entry: RegistryEntry) => void) {}

  /** Starts watching a plugin, or restarts with its current plan. */
  watch(entry: RegistryEntry): void {
    this.unwatch(entry);
    const { load, idleAfterMs, isolation } = entry.plan.config;
    // In-process plugins cannot be unloaded.
    if (load !== 'lazy' || idleAfterMs === 0 || isolation === 'in-process') return;
    let { plugin } = entry;
    let calls = plugin?.callStats.calls;
    let sinceMs = performance.now();
    const check = (): void => {
      const now = entry.plugin?.callStats.calls;
      if (entry.plugin !== plugin || now !== calls) {
        ({ plugin } = entry);
        calls = now;
        sinceMs = performance.now();
      } else if (plugin !== null && performance.now() - sinceMs >= idleAfterMs) this.idle(entry);
    };
    this.timers.set(
      entry,
      setInterval(check, Math.max(idleAfterMs / CHECKS_PER_PERIOD, INTERVAL_MIN_MS)).unref(),
    );
  }

  unwatch(entry: RegistryEntry): void {
    clearInterval(this.timers.get(entry));
    this.timers.delete(entry);
  }

  close(): void {
    for (const timer of this.timers.values()) clearInterval(timer);
    this.timers.clear();
  }
}
