import { type ErrorCode, toBackworksError } from '../errors.js';
import type { RegistryEntry } from './registry-entry.js';

/** The plugin could not be asked for a reason that is noted as a condition of its own. */
const NOTED_ELSEWHERE: readonly ErrorCode[] = ['BW_PLUGIN_UNAVAILABLE', 'BW_PLUGIN_CIRCUIT_OPEN'];

/** Asks plugins from time to time how they are, each in its own interval. */
export class HealthMonitor {
  private readonly timers = new Map<RegistryEntry, NodeJS.Timeout>();

  watch(entry: RegistryEntry): void {
    const { intervalMs } = entry.plan.config.healthCheck;
    if (intervalMs === 0 || this.timers.has(entry)) return;
    this.timers.set(entry, setInterval(() => void checkHealth(entry), intervalMs).unref());
  }

  close(): void {
    for (const timer of this.timers.values()) clearInterval(timer);
    this.timers.clear();
  }
}

/** Asks one plugin and notes the answer; a plugin that cannot be asked is as good as unhealthy. */
export async function checkHealth(entry: RegistryEntry): Promise<void> {
  if (entry.plugin === null) return;
  try {
    const { status, text } = await entry.plugin.health();
    const reason = text === '' ? `health check says ${status}` : `health check says ${status}: ${text}`;
    entry.condition('health', status === 'healthy' ? null : reason);
  } catch (error) {
    const { code, message } = toBackworksError(error);
    if (!NOTED_ELSEWHERE.includes(code)) entry.condition('health', `health check failed: ${message}`);
  }
}
