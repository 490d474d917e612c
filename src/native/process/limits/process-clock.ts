import koffi from 'koffi';

/** The low bits of a clock id: the scheduler's clock of a whole process (clock_getcpuclockid(3)). */
const CPUCLOCK_SCHED = 2;
const TIMESPEC_BYTES = 16;

let clockGettime: ((clock: number, time: Buffer) => number) | null = null;

/**
 * Processor time of all threads of a process since it started, in milliseconds. It is exact, whereas /proc
 * counts hundredths of a second, and takes one system call. Null when the system has no such clock or the
 * process has ended.
 */
export function processorTimeMs(pid: number): number | null {
  if (process.platform !== 'linux') return null;
  clockGettime ??= koffi.load(null).func('clock_gettime', 'int', ['int', 'void *']);
  const time = Buffer.alloc(TIMESPEC_BYTES);
  if (clockGettime((~pid << 3) | CPUCLOCK_SCHED, time) !== 0) return null;
  return Number(time.readBigInt64LE(0)) * 1000 + Number(time.readBigInt64LE(8)) / 1e6;
}
