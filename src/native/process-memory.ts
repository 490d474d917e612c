import { readFile } from 'node:fs/promises';

const RESIDENT_KIB = /^VmRSS:\s+(\d+) kB$/m;

/**
 * Resident memory of a process in bytes, from VmRSS in /proc/PID/status (proc_pid_status(5)); null
 * where the system has no such file or the process is gone.
 */
export async function residentBytes(pid: number): Promise<number | null> {
  try {
    const kib = RESIDENT_KIB.exec(await readFile(`/proc/${pid}/status`, 'latin1'))?.[1];
    return kib === undefined ? null : Number(kib) * 1024;
  } catch {
    return null;
  }
}
