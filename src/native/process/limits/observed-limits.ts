import type { SandboxMode } from '../../../config/types.js';
import type { NativePluginOptions } from '../../plugin.js';
import { processUsageSync } from './process-usage.js';

/** What can be seen of one process, as it was tried on it. */
export interface Observation {
  /** The kernel's clock of its processor time, for limits.cpu_time and limits.idle_cpu. */
  readonly cpuClock: boolean;
  /** /proc/PID/status: its resident memory, for limits.memory beyond what the kernel itself counts, and its threads. */
  readonly residentMemory: boolean;
}

/** Once all could be seen of one process, it can be of every one with the same sandbox. */
let everythingSeen = false;

/**
 * Tries what the server has to see of a process, once it has its sandbox: a process that is not dumpable
 * is hidden from its own user by /proc with hidepid.
 */
export function observe(pid: number, mode: SandboxMode): Observation {
  if (everythingSeen && mode !== 'off') return { cpuClock: true, residentMemory: true };
  const { cpuMs, residentBytes } = processUsageSync(pid);
  const seen = { cpuClock: cpuMs !== null, residentMemory: residentBytes !== null };
  if (mode !== 'off') everythingSeen = seen.cpuClock && seen.residentMemory;
  return seen;
}

/**
 * The mechanisms that limits need and the system lacks, in words.
 * @param kernel what the kernel itself keeps it to
 */
export function unenforceable(
  { cpuClock, residentMemory }: Observation,
  { sandbox, callCpuMs, idleCpuPercent, concurrency }: NativePluginOptions,
  kernel: { readonly memory: boolean; readonly threads: boolean },
): string[] {
  const missing: string[] = [];
  const needClock = [
    ...(callCpuMs > 0 ? ['limits.cpu_time'] : []),
    ...(idleCpuPercent > 0 ? ['limits.idle_cpu'] : []),
  ];
  if (!cpuClock && needClock.length > 0)
    missing.push(`the CPU clock of a process cannot be read, ${needClock.join(' and ')} need it`);
  if (!residentMemory && !kernel.memory && sandbox.memoryBytes > 0)
    missing.push('/proc/PID/status of a process cannot be read, limits.memory needs it to sample memory');
  if (!residentMemory && !kernel.threads && sandbox.threads > 0)
    missing.push('/proc/PID/status of a process cannot be read, limits.threads needs it to count threads');
  if (!residentMemory && concurrency > 1 && callCpuMs > 0)
    missing.push('/proc/PID/task cannot be read, limits.cpu_time needs it with limits.concurrency above 1');
  return missing;
}
