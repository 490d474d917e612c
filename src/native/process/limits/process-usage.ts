import { readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import type { ProcessUsage } from '../../plugin.js';
import { processorTimeMs } from './process-clock.js';

const RESIDENT_KIB = /^VmRSS:\s+(\d+) kB$/m;
const PRIVATE_KIB = /^RssAnon:\s+(\d+) kB$/m;
const THREADS = /^Threads:\s+(\d+)$/m;

/** Reads /proc/PID/status (proc(5)) and the process's clock. */
export async function processUsage(pid: number): Promise<ProcessUsage> {
  // The clock first: memory that is allocated afterwards shows as processor time in the next sample.
  const cpuMs = processorTimeMs(pid);
  const status = await readFile(statusFile(pid), 'latin1').catch(() => '');
  return { residentBytes: residentIn(status), threads: threadsIn(status), cpuMs };
}

/** The same, synchronously. */
export function processUsageSync(pid: number): ProcessUsage {
  let status = '';
  try {
    status = readFileSync(statusFile(pid), 'latin1');
  } catch {
    // The file does not exist or must not be read: the usage is unknown.
  }
  return { residentBytes: residentIn(status), threads: threadsIn(status), cpuMs: processorTimeMs(pid) };
}

/** What a process holds at one moment. */
export interface ProcessHoldings {
  /** Resident memory that no file backs: what it allocated and used. */
  readonly privateBytes: number;
  readonly threads: number;
  /** Open descriptors; null when this process may not count them. */
  readonly descriptors: number | null;
}

/** Null when the system does not tell, or the process has ended. */
export async function processHoldings(pid: number): Promise<ProcessHoldings | null> {
  const status = await readFile(statusFile(pid), 'latin1').catch(() => '');
  const kib = PRIVATE_KIB.exec(status)?.[1];
  if (kib === undefined) return null;
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => null);
  return {
    privateBytes: Number(kib) * 1024,
    threads: threadsIn(status) ?? 1,
    descriptors: descriptors?.length ?? null,
  };
}

function statusFile(pid: number): string {
  return `/proc/${pid}/status`;
}

function residentIn(status: string): number | null {
  const kib = RESIDENT_KIB.exec(status)?.[1];
  return kib === undefined ? null : Number(kib) * 1024;
}

function threadsIn(status: string): number | null {
  const threads = THREADS.exec(status)?.[1];
  return threads === undefined ? null : Number(threads);
}

/** What a thread that runs calls is doing. */
export type ThreadActivity = 'computing' | 'waiting' | 'halted';

const ACTIVITIES: Readonly<Record<string, ThreadActivity>> = {
  R: 'computing',
  S: 'waiting',
  D: 'waiting',
  T: 'halted',
  t: 'halted',
};

/** Linux reports ticks to programs in hundredths of a second, whatever it uses internally. */
const MS_PER_TICK = 10;
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

/** Reads the activity synchronously, before the process changes; null as above. @param thread `pid` for the first */
export function threadActivity(pid: number, thread: number): ThreadActivity | null {
  return ACTIVITIES[threadStat(pid, thread)[0] ?? ''] ?? null;
}

/** Whether a thread of the process runs, or would if it got a processor. True when that cannot be read. */
export function isAnyThreadComputing(pid: number): boolean {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.some((thread) => threadActivity(pid, Number(thread)) === 'computing');
  } catch {
    return true;
  }
}

/** Processor time of one thread, in milliseconds, to a hundredth of a second; null as above. */
export function threadTimeMs(pid: number, thread: number): number | null {
  const stat = threadStat(pid, thread);
  const ticks = Number(stat[USER_TICKS]) + Number(stat[SYSTEM_TICKS]);
  return Number.isFinite(ticks) ? ticks * MS_PER_TICK : null;
}

/** The fields of /proc/PID/task/TID/stat (proc(5)) from the state on; empty when it cannot be read. */
function threadStat(pid: number, thread: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1');
    // The state follows the name, which may contain any character.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}
