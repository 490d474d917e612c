import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { BackworksError } from '../../errors.js';
import type {
  ProcessEnd,
  PipedProcess,
  PipedSpawnOptions,
  SpawnedProcess,
  SpawnOptions,
} from './child-process.js';

/** Uses node:child_process: on macOS and Windows, starting a process does not copy the server's memory. */
export function spawnPortable({
  program,
  args,
  environment,
  sharedDescriptor,
}: SpawnOptions): SpawnedProcess {
  const child = spawn(program, args, {
    cwd: '/',
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', sharedDescriptor, 'pipe'],
    // A process group of its own: Ctrl-C at the server's terminal is for the server only.
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  const [, , , socket, , services] = child.stdio as readonly unknown[];
  const calls = socket as Socket;
  return { ...piped(child, program), calls, answers: calls, services: services as Socket };
}

export function spawnPipedPortable(options: PipedSpawnOptions): PipedProcess {
  const { program, args, environment, directory } = options;
  const child = spawn(program, args, {
    cwd: directory,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  return piped(child, program);
}

function piped(child: ChildProcess, program: string): PipedProcess {
  child.on('error', () => {
    // The error is reported below or by 'exit'. Without a listener it would end the server.
  });
  const { pid } = child;
  if (pid === undefined) {
    throw new BackworksError('BW_RUNNER_START', `the runner ${program} cannot be started`, {
      hint: 'check that the file exists and is executable',
    });
  }
  const [, stdout, stderr] = child.stdio as readonly unknown[];
  return {
    pid,
    stdout: stdout as Readable,
    stderr: stderr as Readable,
    kill: (signal) => killGroup(child, signal),
    // Not 'close': a grandchild that holds the pipes open would delay it.
    ended: new Promise<ProcessEnd>((resolve) =>
      child.once('exit', (code, signal) => {
        killGroup(child, 'SIGKILL');
        resolve({ code, signal });
      }),
    ),
  };
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (process.platform === 'win32' || child.pid === undefined) child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // The process and its group have ended.
  }
}
