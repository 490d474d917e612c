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
    const fields = fieldsOf(stat);
    if (kib === undefined) return null;
    const ticks = Number(fields[UTIME]) + Number(fields[UTIME + 1]);
    return { residentBytes: Number(kib) * 1024, cpuMs: ticks * TICK_MS };
  } catch {
    return null;
  }
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
    const [state = ''] = fieldsOf(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    return ACTIVITIES[state] ?? null;
  } catch {
    return null;
  }
}

/** The fields of /proc/PID/stat behind the name, which may hold anything. */
function fieldsOf(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
