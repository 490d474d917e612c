import type { PluginPolicy } from '../../config/types.js';
import { requestBytesMax } from '../../native/pool/hook-call.js';
import type { SandboxReport } from '../../native/plugin.js';
import type { LimitsInForce } from './status.js';

/**
 * The effective limits of a plugin: the values reported by its processes, or the configured values while no
 * process has reported.
 */
export function limitsInForce(
  { isolation, limits }: Pick<PluginPolicy, 'isolation' | 'limits'>,
  sandbox: SandboxReport | null,
): LimitsInForce {
  if (isolation === 'in-process') return { ...limits, ...NO_PROCESS };
  const all = { ...limits, memoryCgroupBytes: 0, frameBytes: requestBytesMax(limits.memoryBytes) };
  if (sandbox === null) return all;
  const { cpuClock, ...system } = sandbox.limits;
  const watched = cpuClock ? {} : { callCpuMs: 0, idleCpuPercent: 0 };
  return { ...all, ...system, ...watched };
}

/** Limits that exist only for processes; in-process plugins have none of them. */
const NO_PROCESS = {
  memoryBytes: 0,
  memoryCgroupBytes: 0,
  openFiles: 0,
  threads: 0,
  fileSizeBytes: 0,
  callCpuMs: 0,
  idleCpuPercent: 0,
  frameBytes: 0,
};
