import koffi from 'koffi';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { BackworksError } from '../errors.js';
import type { ProcessEnd } from './exit-cause.js';
import { signalName } from './signal-names.js';
import type { SpawnedProcess, SpawnOptions } from './spawn.js';

/**
 * By posix_spawn(3), which does not copy the server's page tables: 0.2 ms of event-loop time whatever
 * the heap, where fork() in Node 20's child_process takes 70 ms at 2 GB.
 */

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const CLOEXEC = 0o2_000_000;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x0100_0000;
const P_ALL = 0;
const P_PID = 1;
const POSIX_SPAWN_SETPGROUP = 2;
/** Room for posix_spawn_file_actions_t (80 bytes in glibc and musl), posix_spawnattr_t (336), siginfo_t (128). */
const OPAQUE_BYTES = 512;
/** A process that ended is reaped this soon even when its socket is held open by a descendant. */
const SWEEP_INTERVAL_MS = 250;
/** Between the end of the socket and the end of the process. */
const REAP_RETRY_MS = 1;
const REAP_RETRIES = 50;

interface LibC {
  socketpair(domain: number, type: number, protocol: number, pair: Int32Array): number;
  pipe2(pair: Int32Array, flags: number): number;
  waitid(idType: number, id: number, info: Buffer, options: number): number;
  waitpid(pid: number, status: Int32Array, options: number): number;
  posix_spawn(
    pid: Int32Array,
    path: string,
    actions: Buffer,
    attributes: Buffer,
    argv: (string | null)[],
    envp: (string | null)[],
  ): number;
  posix_spawnattr_init(attributes: Buffer): number;
  posix_spawnattr_setflags(attributes: Buffer, flags: number): number;
  posix_spawnattr_destroy(attributes: Buffer): number;
  posix_spawn_file_actions_init(actions: Buffer): number;
  posix_spawn_file_actions_destroy(actions: Buffer): number;
  posix_spawn_file_actions_adddup2(actions: Buffer, from: number, to: number): number;
  posix_spawn_file_actions_addopen(
    actions: Buffer,
    descriptor: number,
    path: string,
    flags: number,
    mode: number,
  ): number;
}

let bound: LibC | null = null;

function libc(): LibC {
  if (bound !== null) return bound;
  const library = koffi.load(null);
  const int = 'int';
  const ints = 'int *';
  const pointer = 'void *';
  bound = {
    socketpair: library.func('socketpair', int, [int, int, int, ints]),
    pipe2: library.func('pipe2', int, [ints, int]),
    waitid: library.func('waitid', int, [int, int, pointer, int]),
    waitpid: library.func('waitpid', int, [int, ints, int]),
    posix_spawn: library.func('posix_spawn', int, [ints, 'str', pointer, pointer, 'str *', 'str *']),
    posix_spawnattr_init: library.func('posix_spawnattr_init', int, [pointer]),
    posix_spawnattr_setflags: library.func('posix_spawnattr_setflags', int, [pointer, 'short']),
    posix_spawnattr_destroy: library.func('posix_spawnattr_destroy', int, [pointer]),
    posix_spawn_file_actions_init: library.func('posix_spawn_file_actions_init', int, [pointer]),
    posix_spawn_file_actions_destroy: library.func('posix_spawn_file_actions_destroy', int, [pointer]),
    posix_spawn_file_actions_adddup2: library.func('posix_spawn_file_actions_adddup2', int, [
      pointer,
      int,
      int,
    ]),
    posix_spawn_file_actions_addopen: library.func('posix_spawn_file_actions_addopen', int, [
      pointer,
      int,
      'str',
      int,
      'unsigned int',
    ]),
  };
  return bound;
}

export function spawnLinux({ program, args, environment, sharedDescriptor }: SpawnOptions): SpawnedProcess {
  const opened: number[] = [];
  const pair = (make: (pair: Int32Array) => number): [number, number] => {
    const descriptors = new Int32Array([-1, -1]);
    if (make(descriptors) !== 0) throw cannotStart(program, koffi.errno());
    opened.push(...descriptors);
    return [descriptors[0] as number, descriptors[1] as number];
  };
  try {
    const sockets = (fds: Int32Array): number => libc().socketpair(AF_UNIX, SOCK_STREAM | CLOEXEC, 0, fds);
    const [ours, theirs] = pair(sockets);
    const [services, servicesEnd] = pair(sockets);
    const [stdout, stdoutEnd] = pair((fds) => libc().pipe2(fds, CLOEXEC));
    const [stderr, stderrEnd] = pair((fds) => libc().pipe2(fds, CLOEXEC));
    const ends = [stdoutEnd, stderrEnd, theirs, sharedDescriptor, servicesEnd];
    const pid = posixSpawn(program, args, environment, ends);
    for (const descriptor of [theirs, stdoutEnd, stderrEnd, servicesEnd]) closeSync(descriptor);
    opened.length = 0;
    const socket = new Socket({ fd: ours });
    const { ended, isReaped } = watch(pid, socket);
    return {
      pid,
      socket,
      services: new Socket({ fd: services }),
      stdout: new Socket({ fd: stdout, readable: true, writable: false }),
      stderr: new Socket({ fd: stderr, readable: true, writable: false }),
      // Until it is reaped the pid stays this process's, so the signal cannot reach another.
      kill: (signal) => {
        if (!isReaped()) killGroup(pid, signal);
      },
      ended,
    };
  } catch (error) {
    for (const descriptor of opened) closeSync(descriptor);
    throw error;
  }
}

/** @param descriptors become 1, 2, 3, 4 and 5 of the new process. */
function posixSpawn(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  descriptors: readonly number[],
): number {
  const actions = Buffer.alloc(OPAQUE_BYTES);
  const attributes = Buffer.alloc(OPAQUE_BYTES);
  const pid = new Int32Array(1);
  const envp = [...Object.entries(environment).map(([name, value]) => `${name}=${value}`), null];
  libc().posix_spawn_file_actions_init(actions);
  libc().posix_spawnattr_init(attributes);
  try {
    // A group of its own: Ctrl-C at the server's terminal is the server's to handle, and whatever the
    // process starts can be ended with it.
    libc().posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP);
    libc().posix_spawn_file_actions_addopen(actions, 0, '/dev/null', 0, 0);
    descriptors.forEach((from, index) => libc().posix_spawn_file_actions_adddup2(actions, from, index + 1));
    const error = libc().posix_spawn(pid, program, actions, attributes, [program, ...args, null], envp);
    if (error !== 0) throw cannotStart(program, error);
  } finally {
    libc().posix_spawn_file_actions_destroy(actions);
    libc().posix_spawnattr_destroy(attributes);
  }
  return pid[0] as number;
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

/** Notices the end of a process: at once by its socket's end, at the latest by the sweep. */
function watch(pid: number, socket: Socket): { ended: Promise<ProcessEnd>; isReaped: () => boolean } {
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
    socket.once('end', () => reapSoon(REAP_RETRIES));
    socket.once('close', () => reapSoon(REAP_RETRIES));
    sweep.add(reap);
    sweepTimer ??= setInterval(() => {
      // One question for all of them: mostly none has ended.
      if (hasEnded(P_ALL, 0)) sweep.forEach((look) => look());
    }, SWEEP_INTERVAL_MS);
  });
  return { ended, isReaped: () => reaped };
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

function cannotStart(program: string, errno: number): BackworksError {
  const name =
    Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`;
  return new BackworksError('BW_RUNNER_START', `the runner ${program} cannot be started: ${name}`, {
    hint: 'check that the file exists and may be executed, and that processes and descriptors are left',
  });
}
