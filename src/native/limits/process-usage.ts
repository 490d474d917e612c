import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { processorTimeMs } from './process-clock.js';

/** What a process uses at one moment; null where the system does not tell, or the process is gone. */
export interface ProcessUsage {
  readonly residentBytes: number | null;
  /** Processor time of all its threads since it started, in milliseconds. */
  readonly cpuMs: number | null;
}

const RESIDENT_KIB = /^VmRSS:\s+(\d+) kB$/m;

/** Reads /proc/PID/status (proc(5)) and the process's clock. */
export async function processUsage(pid: number): Promise<ProcessUsage> {
  // First: what it allocates after that shows as processor time at the next look.
  const cpuMs = processorTimeMs(pid);
  const status = await readFile(statusFile(pid), 'latin1').catch(() => '');
  return { residentBytes: residentIn(status), cpuMs };
}

/** The same at once. */
export function processUsageSync(pid: number): ProcessUsage {
  let status = '';
  try {
    status = readFileSync(statusFile(pid), 'latin1');
  } catch {
    // No such file, or one that may not be read: the system does not tell.
  }
  return { residentBytes: residentIn(status), cpuMs: processorTimeMs(pid) };
}

function statusFile(pid: number): string {
  return `/proc/${pid}/status`;
}

function residentIn(status: string): number | null {
  const kib = RESIDENT_KIB.exec(status)?.[1];
  return kib === undefined ? null : Number(kib) * 1024;
}

/** What the thread that makes the calls of a process is doing. */
export type ProcessActivity = 'computing' | 'waiting' | 'halted';

const ACTIVITIES: Readonly<Record<string, ProcessActivity>> = {
  R: 'computing',
  S: 'waiting',
  D: 'waiting',
  T: 'halted',
  t: 'halted',
};

/** Reads it at once, before anything else happens to the process; null as above. */
export function processActivity(pid: number): ProcessActivity | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The state follows the name, which may hold anything.
    return ACTIVITIES[stat.charAt(stat.lastIndexOf(')') + 2)] ?? null;
  } catch {
    return null;
  }
}
