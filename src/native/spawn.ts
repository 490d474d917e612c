import type { Readable } from 'node:stream';
import type { Socket } from 'node:net';
import type { ProcessEnd } from './exit-cause.js';
import { spawnLinux } from './spawn-linux.js';
import { spawnPortable } from './spawn-portable.js';

/** A runner process from the server's side. */
export interface SpawnedProcess {
  readonly pid: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** The server's end of the runner's descriptor 3. */
  readonly socket: Socket;
  /** Sends a signal to the process and what it has started; does nothing once the process is gone. */
  kill(signal: NodeJS.Signals): void;
  /** Resolves when the process itself has ended, whatever its descendants still hold open. */
  readonly ended: Promise<ProcessEnd>;
}

export interface SpawnOptions {
  readonly program: string;
  readonly args: readonly string[];
  /** The whole environment of the process. */
  readonly environment: Readonly<Record<string, string>>;
  /** Descriptor of the server that becomes descriptor 4 of the process; it stays the server's. */
  readonly sharedDescriptor: number;
}

/**
 * Starts a process with stdin from /dev/null, stdout and stderr as pipes and a
 * stream socket as descriptor 3.
 * @throws BackworksError BW_RUNNER_START when it cannot be created.
 */
export const spawnProcess: (options: SpawnOptions) => SpawnedProcess =
  process.platform === 'linux' ? spawnLinux : spawnPortable;
