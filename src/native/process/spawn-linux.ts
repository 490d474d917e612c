import koffi from 'koffi';
import { closeSync } from 'node:fs';
import { type OnReadOpts, Socket } from 'node:net';
import { constants } from 'node:os';
import { BackworksError } from '../../errors.js';
import { childEnd } from './child-end.js';
import type { PipedProcess, PipedSpawnOptions, SpawnedProcess, SpawnOptions } from './child-process.js';

/**
 * Starts processes by posix_spawn(3), which does not copy the server's page tables. fork() in Node 20's
 * child_process takes 70 ms when the server has 2 GB. posix_spawn() waits until the child has begun its
 * program, so a thread of libuv's pool waits, not the event loop. Those threads end with the server, which
 * matters because a runner ends when its parent thread ends.
 */

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const CLOEXEC = 0o2_000_000;
const POSIX_SPAWN_SETPGROUP = 2;
/** Room for posix_spawn_file_actions_t (80 bytes in glibc and musl), posix_spawnattr_t (336). */
const OPAQUE_BYTES = 512;
const READ_BYTES_MAX = 64 * 1024;

type SpawnArguments = [
  pid: Int32Array,
  path: string,
  actions: Buffer,
  attributes: Buffer,
  argv: (string | null)[],
  envp: (string | null)[],
];
type SpawnCallback = (error: Error | null, result: number) => void;

interface LibC {
  socketpair(domain: number, type: number, protocol: number, pair: Int32Array): number;
  pipe2(pair: Int32Array, flags: number): number;
  posix_spawn: { async(...argumentsAndCallback: [...SpawnArguments, SpawnCallback]): void };
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
  /** glibc has it since 2.29. */
  posix_spawn_file_actions_addchdir_np: ((actions: Buffer, path: string) => number) | null;
}

let bound: LibC | null = null;

function libc(): LibC {
  if (bound !== null) return bound;
  const library = koffi.load(null);
  const int = 'int';
  const ints = 'int *';
  const pointer = 'void *';
  const optional = <T>(bind: () => T): T | null => {
    try {
      return bind();
    } catch {
      return null;
    }
  };
  bound = {
    socketpair: library.func('socketpair', int, [int, int, int, ints]),
    pipe2: library.func('pipe2', int, [ints, int]),
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
    posix_spawn_file_actions_addchdir_np: optional(() =>
      library.func('posix_spawn_file_actions_addchdir_np', int, [pointer, 'str']),
    ),
  };
  return bound;
}

/** Whether a process can start in another directory than the server's. */
export function canChangeDirectory(): boolean {
  return libc().posix_spawn_file_actions_addchdir_np !== null;
}

export function spawnLinux(options: SpawnOptions): Promise<SpawnedProcess> {
  return withDescriptors(options.program, async (open) => {
    const [callsEnd, calls] = open.pipe();
    const [answers, answersEnd] = open.pipe();
    const [services, servicesEnd] = open.sockets();
    const [stdout, stdoutEnd] = open.pipe();
    const [stderr, stderrEnd] = open.pipe();
    const { sharedDescriptor, libraryDescriptor } = options;
    const ends = [stdoutEnd, stderrEnd, callsEnd, sharedDescriptor, servicesEnd, answersEnd];
    const given = libraryDescriptor === null ? ends : [...ends, libraryDescriptor];
    const pid = await posixSpawn(options, given);
    for (const descriptor of ends) if (descriptor !== sharedDescriptor) closeSync(descriptor);
    return () => {
      const from = readableInPlace(answers, true);
      return {
        pid,
        calls: new Socket({ fd: calls, readable: false, writable: true }),
        answers: from,
        services: new Socket({ fd: services }),
        stdout: readableInPlace(stdout, false),
        stderr: readableInPlace(stderr, false),
        ...childEnd(pid, from),
      };
    };
  });
}

export function spawnPipedLinux(options: PipedSpawnOptions): Promise<PipedProcess> {
  return withDescriptors(options.program, async (open) => {
    const [stdout, stdoutEnd] = open.pipe();
    const [stderr, stderrEnd] = open.pipe();
    const pid = await posixSpawn(options, [stdoutEnd, stderrEnd]);
    for (const descriptor of [stdoutEnd, stderrEnd]) closeSync(descriptor);
    return () => {
      const out = readable(stdout);
      return { pid, stdout: out, stderr: readable(stderr), ...childEnd(pid, out) };
    };
  });
}

interface DescriptorPairs {
  sockets(): [number, number];
  /** Returns the reading end first. */
  pipe(): [number, number];
}

/**
 * Opens descriptors for a process.
 * @param start returns the step that takes them over and cannot fail; if `start` rejects, all are closed
 */
async function withDescriptors<T>(
  program: string,
  start: (open: DescriptorPairs) => Promise<() => T>,
): Promise<T> {
  const opened: number[] = [];
  const pair = (make: (pair: Int32Array) => number): [number, number] => {
    const descriptors = new Int32Array([-1, -1]);
    if (make(descriptors) !== 0) throw cannotStart(program, koffi.errno());
    opened.push(...descriptors);
    return [descriptors[0] as number, descriptors[1] as number];
  };
  let started: () => T;
  try {
    started = await start({
      sockets: () => pair((fds) => libc().socketpair(AF_UNIX, SOCK_STREAM | CLOEXEC, 0, fds)),
      pipe: () => pair((fds) => libc().pipe2(fds, CLOEXEC)),
    });
  } catch (error) {
    for (const descriptor of opened) closeSync(descriptor);
    throw error;
  }
  return started();
}

function readable(descriptor: number): Socket {
  return new Socket({ fd: descriptor, readable: true, writable: false });
}

/** The buffer that every pipe is read into. Its bytes are consumed before another pipe is read. */
const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES_MAX);

/**
 * Reads with `onread`, because Node would otherwise allocate 64 KiB for each read.
 * @param kept whether listeners keep the bytes; if not, the bytes are valid until the listeners return
 */
function readableInPlace(fd: number, kept: boolean): Socket {
  const onread: OnReadOpts = {
    buffer: readBuffer,
    callback(length) {
      const bytes = readBuffer.subarray(0, length);
      pipe.emit('data', kept ? Buffer.from(bytes) : bytes);
      return true;
    },
  };
  const options = { fd, readable: true, writable: false, onread };
  const pipe = new Socket(options);
  return pipe;
}

/** @param descriptors become descriptors 1, 2 and so on of the new process */
async function posixSpawn(
  { program, args, environment, directory }: PipedSpawnOptions,
  descriptors: readonly number[],
): Promise<number> {
  const actions = Buffer.alloc(OPAQUE_BYTES);
  const attributes = Buffer.alloc(OPAQUE_BYTES);
  const pid = new Int32Array(1);
  const argv = [program, ...args, null];
  const envp = [...Object.entries(environment).map(([name, value]) => `${name}=${value}`), null];
  libc().posix_spawn_file_actions_init(actions);
  libc().posix_spawnattr_init(attributes);
  try {
    // A process group of its own: Ctrl-C at the server's terminal is for the server only, and the processes
    // that this one starts can be ended with it.
    libc().posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP);
    libc().posix_spawn_file_actions_addopen(actions, 0, '/dev/null', 0, 0);
    if (directory !== undefined) libc().posix_spawn_file_actions_addchdir_np?.(actions, directory);
    descriptors.forEach((from, index) => libc().posix_spawn_file_actions_adddup2(actions, from, index + 1));
    const error = await new Promise<number>((resolve, reject) =>
      libc().posix_spawn.async(pid, program, actions, attributes, argv, envp, (failure, result) =>
        failure === null ? resolve(result) : reject(failure),
      ),
    );
    if (error !== 0) throw cannotStart(program, error);
  } finally {
    libc().posix_spawn_file_actions_destroy(actions);
    libc().posix_spawnattr_destroy(attributes);
  }
  return pid[0] as number;
}

function cannotStart(program: string, errno: number): BackworksError {
  const { EMFILE, ENFILE } = constants.errno;
  const why =
    errno === EMFILE || errno === ENFILE ? 'the server has no file descriptors left' : nameOf(errno);
  const hint =
    errno === EMFILE
      ? 'raise the limit of open files of the server (ulimit -n, LimitNOFILE=): each process of a plugin takes five'
      : 'check that the file exists and is executable, and the limits of processes and open files';
  return new BackworksError('BW_RUNNER_START', `the runner ${program} cannot be started: ${why}`, { hint });
}

function nameOf(errno: number): string {
  const known = Object.entries(constants.errno).find(([, number]) => number === errno);
  return known?.[0] ?? `errno ${errno}`;
}
