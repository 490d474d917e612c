import type { PluginPolicy } from '../config/types.js';
import type { AdjustableSettings } from '../native/plugin.js';

/** What a policy says to the native side and may say differently at any time. */
export function adjustableSettings({
  timeouts,
  limits,
  recycle,
  restart,
}: Pick<PluginPolicy, 'timeouts' | 'limits' | 'recycle' | 'restart'>): AdjustableSettings {
  return {
    initializeTimeoutMs: timeouts.initializeMs,
    shutdownTimeoutMs: timeouts.shutdownMs,
    logBytesPerSecond: limits.logBytesPerSecond,
    recycleCalls: recycle.calls,
    recycleMemoryBytes: recycle.memoryBytes,
    idleCpuPercent: limits.idleCpuPercent,
    callCpuMs: limits.callCpuMs,
    restart,
  };
}
