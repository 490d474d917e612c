import { readFileSync } from 'node:fs';

/** The kernel counts in hundredths of a second on every Linux system that Node supports. */
const TICK_US = 10_000;

/** Total CPU time of processes so far, in microseconds. Null on systems without /proc. */
export function cpuTimeUs(pids) {
  if (process.platform !== 'linux') return null;
  return pids.reduce((sum, pid) => sum + ticksOf(pid), 0) * TICK_US;
}

function ticksOf(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in brackets may contain spaces. utime and stime are the 12th and 13th fields after it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
