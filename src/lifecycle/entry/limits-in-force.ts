import type { PluginPolicy } from '../../config/types.js';
import { requestBytesMax } from '../../native/pool/hook-call.js';
import type { SandboxReport } from '../../native/plugin.js';
import type { LimitsInForce } from './status.js';

/**
 * The limits of a plugin as they are: what its processes reported where they did, else what the
 * configuration says they will be.
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

/** What binds processes only, and what there are none of. */
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
