import { type ErrorCode, toBackworksError } from '../../errors.js';
import type { RegistryEntry } from '../entry/registry-entry.js';

/** Errors that are already shown as another condition of the plugin. */
const SHOWN_ELSEWHERE: readonly ErrorCode[] = ['BW_PLUGIN_UNAVAILABLE', 'BW_PLUGIN_CIRCUIT_OPEN'];

/** Runs periodic health checks, each plugin in its own interval and one check at a time. */
export class HealthMonitor {
  private readonly timers = new Map<RegistryEntry, NodeJS.Timeout>();

  /** Starts checking a plugin, or restarts with its current plan. */
  watch(entry: RegistryEntry): void {
    const { intervalMs } = entry.plan.config.healthCheck;
    clearInterval(this.timers.get(entry));
    this.timers.delete(entry);
    if (intervalMs === 0) return;
    let asking = false;
    const ask = async (): Promise<void> => {
      if (asking) return;
      asking = true;
      await checkHealth(entry);
      asking = false;
    };
    this.timers.set(entry, setInterval(() => void ask(), intervalMs).unref());
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

/** Checks one plugin and records the result. A check that fails counts as unhealthy. */
async function checkHealth(entry: RegistryEntry): Promise<void> {
  const { plugin } = entry;
  if (plugin === null) return;
  // The result is ignored if the plugin was replaced during the check.
  const note = (reason: string | null): void => {
    if (entry.plugin === plugin) entry.setCondition('health', reason);
  };
  try {
    const { status, text } = await plugin.health();
    const reason = text === '' ? `health check says ${status}` : `health check says ${status}: ${text}`;
    note(status === 'healthy' ? null : reason);
  } catch (error) {
    const { code, message } = toBackworksError(error);
    if (!SHOWN_ELSEWHERE.includes(code)) note(`health check failed: ${message}`);
  }
}
