import type { Readable } from 'node:stream';
import type { Socket } from 'node:net';

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
  /** Likewise descriptor 7, the library; null for none. */
  readonly libraryDescriptor: number | null;
  /** What limits.memory allows it; 0: any amount. */
  readonly memoryBytes: number;
  /** Threads it may have; 0: any number. */
  readonly threads: number;
}

/** How a runner process ended, as the operating system tells it. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The kernel ended it as its cgroup had no memory left. */
  readonly outOfMemory?: boolean;
}
