import koffi from 'koffi';
import type { Readable } from 'node:stream';
import type { ProcessEnd } from './child-process.js';
import { signalName } from './signal-names.js';

const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x0100_0000;
const P_ALL = 0;
const P_PID = 1;
/** At least the size of a siginfo_t (128 bytes). */
const OPAQUE_BYTES = 512;
/** A process that ended is reaped within this time even when a descendant holds its streams open. */
const SWEEP_INTERVAL_MS = 250;
/** A process ends shortly after its streams; reaping is tried again at this interval. */
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

/** The end of a child process that only the server reaps. */
export interface ChildEnd {
  readonly ended: Promise<ProcessEnd>;
  /** Signals the process and its group; does nothing once the process is reaped. */
  kill(signal: NodeJS.Signals): void;
}

/** Without a sandbox a plugin can leave its process group; then at least the process itself is signalled. */
function killGroup(pid: number, signal: NodeJS.Signals): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal);
    } catch {
      // ESRCH: the group is empty.
    }
  }
}

/** Processes that have not been reaped. One timer checks them together; it keeps the server alive. */
const sweep = new Set<() => void>();
let sweepTimer: NodeJS.Timeout | null = null;

/**
 * Detects the end of a process and reaps it: at once when its stream ends, otherwise at the next sweep.
 * @param stream a stream that ends with the process, unless a descendant holds it open
 */
export function childEnd(pid: number, stream: Readable): ChildEnd {
  let reaped = false;
  const ended = new Promise<ProcessEnd>((resolve) => {
    const status = new Int32Array(1);
    const reap = (): void => {
      if (reaped || !hasEnded(P_PID, pid)) return;
      // Before the pid can be reused: processes that this one started, where no sandbox prevented that, are
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
      // One system call for all of them, because usually none has ended.
      if (hasEnded(P_ALL, 0)) sweep.forEach((reap) => reap());
    }, SWEEP_INTERVAL_MS);
  });
  return {
    ended,
    // Until the process is reaped its pid cannot be reused, so the signal cannot reach another process.
    kill: (signal) => {
      if (!reaped) killGroup(pid, signal);
    },
  };
}

/** Whether a process, or any child, has ended. It stays a zombie. The first field of siginfo_t is 0 if not. */
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
