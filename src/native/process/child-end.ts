import koffi from 'koffi';
import type { Readable } from 'node:stream';
import type { ProcessEnd } from './child-process.js';
import { signalName } from './signal-names.js';

const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x0100_0000;
const P_ALL = 0;
const P_PID = 1;
/** Room for a siginfo_t (128 bytes). */
const OPAQUE_BYTES = 512;
/** A process that ended is reaped this soon even when its streams are held open by a descendant. */
const SWEEP_INTERVAL_MS = 250;
/** Between the end of a stream and the end of the process. */
const REAP_RETRY_MS = 1;
const REAP_RETRIES = 50;

interface Wait {
  waitid(idType: number, id: number, info: Buffer, options: number): number;
  waitpid(pid: number, status: Int32Array, options: number): number;
}

let bound: Wait | null = null;

function libc(): Wait {
  if (bound !== null) return bound;
  const library = koffi.load(null);
  bound = {
    waitid: library.func('waitid', 'int', ['int', 'int', 'void *', 'int']),
    waitpid: library.func('waitpid', 'int', ['int', 'int *', 'int']),
  };
  return bound;
}

/** A child process of the server's that nobody else waits for. */
export interface ChildEnd {
  readonly ended: Promise<ProcessEnd>;
  /** Signals the process and its group; does nothing once the process is reaped. */
  kill(signal: NodeJS.Signals): void;
}

/** A plugin without a sandbox can leave its group; then at least the process itself is reached. */
function killGroup(pid: number, signal: NodeJS.Signals): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal);
    } catch {
      // ESRCH: the group is empty.
    }
  }
}

/** Processes that have not been reaped, looked at together by one timer, which keeps the server alive. */
const sweep = new Set<() => void>();
let sweepTimer: NodeJS.Timeout | null = null;

/**
 * Notices the end of a process, and reaps it: at once by a stream's end, at the latest by the sweep.
 * @param stream one that ends with the process, unless something it started holds it open
 */
export function childEnd(pid: number, stream: Readable): ChildEnd {
  let reaped = false;
  const ended = new Promise<ProcessEnd>((resolve) => {
    const status = new Int32Array(1);
    const reap = (): void => {
      if (reaped || !hasEnded(P_PID, pid)) return;
      // Before the pid is given back: what the process started, where no sandbox kept it from that, is
      // still in its group.
      killGroup(pid, 'SIGKILL');
      libc().waitpid(pid, status, WNOHANG);
      reaped = true;
      sweep.delete(reap);
      if (sweep.size === 0 && sweepTimer !== null) {
        clearInterval(sweepTimer);
        sweepTimer = null;
      }
      resolve(decodeStatus(status[0] as number));
    };
    const reapSoon = (retries: number): void => {
      reap();
      if (!reaped && retries > 0) setTimeout(reapSoon, REAP_RETRY_MS, retries - 1);
    };
    stream.once('end', () => reapSoon(REAP_RETRIES));
    stream.once('close', () => reapSoon(REAP_RETRIES));
    sweep.add(reap);
    sweepTimer ??= setInterval(() => {
      // One question for all of them: mostly none has ended.
      if (hasEnded(P_ALL, 0)) sweep.forEach((look) => look());
    }, SWEEP_INTERVAL_MS);
  });
  return {
    ended,
    // Until it is reaped the pid stays this process's, so the signal cannot reach another.
    kill: (signal) => {
      if (!reaped) killGroup(pid, signal);
    },
  };
}

/** Whether a process, or any, is over; it stays a zombie. The first field of siginfo_t is 0 when it is not. */
function hasEnded(idType: number, pid: number): boolean {
  const info = Buffer.alloc(OPAQUE_BYTES);
  libc().waitid(idType, pid, info, WEXITED | WNOHANG | WNOWAIT);
  return info.readInt32LE(0) !== 0;
}

/** waitpid(2)'s status: low seven bits the signal, the next byte the exit code. */
function decodeStatus(status: number): ProcessEnd {
  const signal = status & 0x7f;
  if (signal === 0) return { code: (status >> 8) & 0xff, signal: null };
  return { code: null, signal: signalName(signal) ?? 'SIGKILL' };
}
