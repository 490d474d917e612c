import { type ChildProcess, spawn } from 'node:child_process';
import { BackworksError } from '../../errors.js';

const OUTPUT_BYTES_MAX = 1024 * 1024;
const STDERR_BYTES_MAX = 4 * 1024;
/** How long output may trickle in once the process is gone; something it started may hold the pipe. */
const DRAIN_MS = 100;

/** How a describing runner ended and what it printed. */
export interface DescribeRun {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It was stopped for taking too long. */
  readonly timedOut: boolean;
  /** It was stopped for printing more than a description can be. */
  readonly overflowed: boolean;
  readonly stdout: string;
  /** Last lines of stderr, oldest first. */
  readonly stderrTail: readonly string[];
}

/**
 * Runs `runner --describe library` with these sandbox settings and an empty environment, in a process group of its own, so that
 * nothing of it outlives the time limit.
 * @throws BackworksError (as a rejection) BW_RUNNER_START when there is no such program to run
 */
export function runDescribe(
  runner: string,
  library: string,
  settings: readonly string[],
  timeoutMs: number,
): Promise<DescribeRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(runner, ['--describe', library, ...settings], {
      cwd: '/',
      env: {},
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    let [stdout, stderr] = [Buffer.alloc(0), Buffer.alloc(0)];
    let [timedOut, overflowed] = [false, false];
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(child);
    }, timeoutMs);

    child.stdout.on('data', (chunk: Buffer) => {
      stdout = Buffer.concat([stdout, chunk]);
      if (stdout.length <= OUTPUT_BYTES_MAX) return;
      overflowed = true;
      killGroup(child);
      child.stdout.destroy();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = Buffer.concat([stderr, chunk]).subarray(-STDERR_BYTES_MAX);
    });
    child.on('error', (cause) => {
      clearTimeout(timer);
      reject(
        new BackworksError('BW_RUNNER_START', `${runner} could not be started: ${cause.message}`, { cause }),
      );
    });
    // Judged on exit, not on close: a process the library started may keep the pipes open for ever.
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      killGroup(child);
      const finish = (): void => {
        clearTimeout(drain);
        child.stdout.destroy();
        child.stderr.destroy();
        const stderrTail = stderr
          .toString()
          .split('\n')
          .filter((line) => line !== '');
        resolve({ code, signal, timedOut, overflowed, stdout: stdout.toString(), stderrTail });
      };
      const drain = setTimeout(finish, DRAIN_MS);
      child.on('close', finish);
    });
  });
}

function killGroup(child: ChildProcess): void {
  try {
    if (process.platform === 'win32' || child.pid === undefined) child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}
