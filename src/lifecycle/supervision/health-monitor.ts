import { type ErrorCode, toBackworksError } from '../../errors.js';
import type { RegistryEntry } from '../entry/registry-entry.js';

/** The plugin could not be asked for a reason that is noted as a condition of its own. */
const NOTED_ELSEWHERE: readonly ErrorCode[] = ['BW_PLUGIN_UNAVAILABLE', 'BW_PLUGIN_CIRCUIT_OPEN'];

/** Asks plugins from time to time how they are, each in its own interval, one question at a time. */
export class HealthMonitor {
  private readonly timers = new Map<RegistryEntry, NodeJS.Timeout>();

  /** Begins, or begins again with the plan as it is now. */
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

  forget(entry: RegistryEntry): void {
    clearInterval(this.timers.get(entry));
    this.timers.delete(entry);
  }

  close(): void {
    for (const timer of this.timers.values()) clearInterval(timer);
    this.timers.clear();
  }
}

/** Asks one plugin and notes the answer; a plugin that cannot be asked is as good as unhealthy. */
async function checkHealth(entry: RegistryEntry): Promise<void> {
  const { plugin } = entry;
  if (plugin === null) return;
  // An answer that comes when the plugin is another one already says nothing about that one.
  const note = (reason: string | null): void => {
    if (entry.plugin === plugin) entry.setCondition('health', reason);
  };
  try {
    const { status, text } = await plugin.health();
    const reason = text === '' ? `health check says ${status}` : `health check says ${status}: ${text}`;
    note(status === 'healthy' ? null : reason);
  } catch (error) {
    const { code, message } = toBackworksError(error);
    if (!NOTED_ELSEWHERE.includes(code)) note(`health check failed: ${message}`);
  }
}
