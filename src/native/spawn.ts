import type { Readable } from 'node:stream';
import type { Socket } from 'node:net';
import type { ProcessEnd } from './exit-cause.js';
import { cgroupDelegation, memoryCgroup } from './limits/cgroup.js';
import { spawnLinux } from './spawn-linux.js';
import { spawnPortable } from './spawn-portable.js';

/** A runner process from the server's side. */
export interface SpawnedProcess {
  readonly pid: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** The server's end of the runner's descriptor 3. */
  readonly socket: Socket;
  /** The server's end of the runner's descriptor 5. */
  readonly services: Socket;
  /** Sends a signal to the process and what it has started; does nothing once the process is gone. */
  kill(signal: NodeJS.Signals): void;
  /** Resolves when the process itself has ended, whatever its descendants still hold open. */
  readonly ended: Promise<ProcessEnd>;
}

/** A process, and the cgroup that keeps its memory or why there is none. */
export interface GroupedProcess extends SpawnedProcess {
  readonly memoryCgroup: { readonly maxBytes: number } | { readonly missing: string };
}

export interface SpawnOptions {
  readonly program: string;
  readonly args: readonly string[];
  /** The whole environment of the process. */
  readonly environment: Readonly<Record<string, string>>;
  /** Descriptor of the server that becomes descriptor 4 of the process; it stays the server's. */
  readonly sharedDescriptor: number;
  /** What limits.memory allows it; 0: any amount. */
  readonly memoryBytes: number;
}

const spawnByPlatform = process.platform === 'linux' ? spawnLinux : spawnPortable;

/**
 * Starts a process with stdin from /dev/null, stdout and stderr as pipes and a
 * stream sockets as descriptors 3 and 5. Where the system lets the server have cgroups, it is in one of its own
 * before it gets its first frame.
 * @throws BackworksError BW_RUNNER_START when it cannot be created.
 */
export function spawnProcess(options: SpawnOptions): GroupedProcess {
  // First, since the server takes a group only while it is alone in it.
  cgroupDelegation();
  const child = spawnByPlatform(options);
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
