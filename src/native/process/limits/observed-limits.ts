import type { SandboxMode } from '../../../config/types.js';
import type { NativePluginOptions } from '../../plugin.js';
import { processUsageSync } from './process-usage.js';

/** What the server can observe of a process, found by trying. */
export interface Observation {
  /** The kernel's clock of its processor time, which limits.cpu_time and limits.idle_cpu need. */
  readonly cpuClock: boolean;
  /** /proc/PID/status: resident memory, for memory that the kernel's limits do not count, and threads. */
  readonly residentMemory: boolean;
}

/** If everything is observable for one process, it is for every process with the same sandbox. */
let everythingSeen = false;

/**
 * Checks what the server can observe of a process after its sandbox was applied: with hidepid, /proc
 * hides a process that is not dumpable from its own user.
 */
export function observe(pid: number, mode: SandboxMode): Observation {
  if (everythingSeen && mode !== 'off') return { cpuClock: true, residentMemory: true };
  const { cpuMs, residentBytes } = processUsageSync(pid);
  const seen = { cpuClock: cpuMs !== null, residentMemory: residentBytes !== null };
  if (mode !== 'off') everythingSeen = seen.cpuClock && seen.residentMemory;
  return seen;
}

/**
 * The mechanisms that limits need and the system lacks, as sentences.
 * @param kernel the limits that the kernel itself enforces
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
