import type { Readable } from 'node:stream';
import type { Socket } from 'node:net';
import type { ProcessEnd } from './exit-cause.js';
import { cgroupDelegation, memoryCgroup } from './limits/cgroup.js';
import { canChangeDirectory, spawnLinux, spawnPipedLinux } from './spawn-linux.js';
import { spawnPipedPortable, spawnPortable } from './spawn-portable.js';

/** A child process and what it prints. */
export interface PipedProcess {
  readonly pid: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Sends a signal to the process and what it has started; does nothing once the process is gone. */
  kill(signal: NodeJS.Signals): void;
  /** Resolves when the process itself has ended, whatever its descendants still hold open. */
  readonly ended: Promise<ProcessEnd>;
}

/** The server's ends of what carries frames; on some systems one socket is both. */
export interface RunnerPipes {
  /** To the runner. */
  readonly calls: Socket;
  /** From the runner, as 'data'. */
  readonly answers: Socket;
}

/** A runner process from the server's side. */
export interface SpawnedProcess extends PipedProcess, RunnerPipes {
  /** The server's end of the runner's descriptor 5. */
  readonly services: Socket;
}

/** A process, and the cgroup that keeps its memory or why there is none. */
export interface GroupedProcess extends SpawnedProcess {
  readonly memoryCgroup: { readonly maxBytes: number } | { readonly missing: string };
}

export interface PipedSpawnOptions {
  readonly program: string;
  readonly args: readonly string[];
  /** The whole environment of the process. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where it starts; default: where the server is. */
  readonly directory?: string;
}

export interface SpawnOptions extends Omit<PipedSpawnOptions, 'directory'> {
  /** Descriptor of the server that becomes descriptor 4 of the process; it stays the server's. */
  readonly sharedDescriptor: number;
  /** What limits.memory allows it; 0: any amount. */
  readonly memoryBytes: number;
}

const isLinux = process.platform === 'linux';
const spawnByPlatform = isLinux ? spawnLinux : spawnPortable;

/**
 * Starts a process with stdin from /dev/null, stdout and stderr as pipes and no other descriptor, in a
 * process group of its own.
 * @throws BackworksError BW_RUNNER_START when it cannot be created.
 */
export async function spawnPiped(options: PipedSpawnOptions): Promise<PipedProcess> {
  const byPlatform = isLinux && canChangeDirectory() ? spawnPipedLinux : spawnPipedPortable;
  return byPlatform(options);
}

/**
 * Starts a process with stdin from /dev/null, stdout and stderr as pipes, descriptors 3 and 6
 * for frames and 5 for services. Where the system lets the server have cgroups, it is in one of its own
 * before it gets its first frame.
 * @throws BackworksError BW_RUNNER_START when it cannot be created.
 */
export async function spawnProcess(options: SpawnOptions): Promise<GroupedProcess> {
  // First, since the server takes a group only while it is alone in it.
  cgroupDelegation();
  const child = await spawnByPlatform(options);
  const group = memoryCgroup(options.memoryBytes, child.pid);
  if (group === null) return { ...child, memoryCgroup: { missing: withoutCgroup(options.memoryBytes) } };
  const ended = child.ended.then((end) => {
    const outOfMemory = group.ranOutOfMemory();
    group.remove();
    return { ...end, outOfMemory };
  });
  return { ...child, memoryCgroup: { maxBytes: group.maxBytes }, ended };
}

function withoutCgroup(memoryBytes: number): string {
  const found = cgroupDelegation();
  if (memoryBytes === 0) return 'memory is unlimited';
  return 'missing' in found ? found.missing : 'it cannot be made';
}
