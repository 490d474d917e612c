import type { PluginPolicy } from '../config/types.js';
import type { AdjustableSettings } from '../native/plugin.js';

/** The settings of a policy that apply to running processes and can change at any time. */
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
