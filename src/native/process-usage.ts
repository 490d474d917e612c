import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** What a process uses at one moment. */
export interface ProcessUsage {
  readonly residentBytes: number;
  /** Processor time of all its threads since it started, in milliseconds. */
  readonly cpuMs: number;
}

const RESIDENT_KIB = /^VmRSS:\s+(\d+) kB$/m;
/** Clock ticks of /proc are hundredths of a second on every Linux Node runs on (USER_HZ). */
const TICK_MS = 10;
/** utime and stime are fields 14 and 15 of /proc/PID/stat; the first two are cut off with the name. */
const UTIME = 11;

/**
 * Reads /proc/PID/status and /proc/PID/stat (proc(5)); null where the system has no such files or the
 * process is gone.
 */
export async function processUsage(pid: number): Promise<ProcessUsage | null> {
  try {
    const [status, stat] = await Promise.all([
      readFile(`/proc/${pid}/status`, 'latin1'),
      readFile(`/proc/${pid}/stat`, 'latin1'),
    ]);
    const kib = RESIDENT_KIB.exec(status)?.[1];
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (kib === undefined) return null;
    const ticks = Number(fields[UTIME]) + Number(fields[UTIME + 1]);
    return { residentBytes: Number(kib) * 1024, cpuMs: ticks * TICK_MS };
  } catch {
    return null;
  }
}

/** Whether a process is stopped (SIGSTOP, or a debugger); false where the system does not tell. */
export function isStopped(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return /^[Tt]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}
