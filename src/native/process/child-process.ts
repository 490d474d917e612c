import type { Readable } from 'node:stream';
import type { Socket } from 'node:net';

/** A child process and what it prints. */
export interface PipedProcess {
  readonly pid: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Signals the process and the processes it started; does nothing once the process has ended. */
  kill(signal: NodeJS.Signals): void;
  /** Resolves when the process itself has ended, even while descendants hold its streams open. */
  readonly ended: Promise<ProcessEnd>;
}

/** The server's ends of the streams that carry frames; on some systems one socket is both. */
export interface RunnerPipes {
  /** Written by the server. */
  readonly calls: Socket;
  /** Read by the server, with 'data' events. */
  readonly answers: Socket;
}

/** A runner process from the server's side. */
export interface SpawnedProcess extends PipedProcess, RunnerPipes {
  /** The server's end of the runner's descriptor 5. */
  readonly services: Socket;
}

/** A process, and its memory cgroup or the reason why it has none. */
export interface GroupedProcess extends SpawnedProcess {
  readonly memoryCgroup: { readonly maxBytes: number } | { readonly missing: string };
}

export interface PipedSpawnOptions {
  readonly program: string;
  readonly args: readonly string[];
  /** The whole environment of the process. */
  readonly environment: Readonly<Record<string, string>>;
  /** Its working directory; default: the server's. */
  readonly directory?: string;
}

export interface SpawnOptions extends Omit<PipedSpawnOptions, 'directory'> {
  /** Descriptor of the server that becomes descriptor 4 of the process; the server keeps its own. */
  readonly sharedDescriptor: number;
  /** Likewise for descriptor 7, the library; null for none. */
  readonly libraryDescriptor: number | null;
  /** limits.memory of the plugin; 0: unlimited. */
  readonly memoryBytes: number;
  /** Threads it may have; 0: unlimited. */
  readonly threads: number;
}

/** How a process ended, according to the operating system. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The kernel killed it because its cgroup had no memory left. */
  readonly outOfMemory?: boolean;
}
