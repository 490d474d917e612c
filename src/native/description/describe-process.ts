import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { spawnPiped } from '../process/spawn.js';

const OUTPUT_BYTES_MAX = 1024 * 1024;
const STDERR_BYTES_MAX = 4 * 1024;
/** How long to wait for output after the process ended; a process that it started may hold the pipe. */
const DRAIN_MS = 100;

/** How a describing runner ended and what it printed. */
export interface DescribeRun {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The process was stopped because it took too long. */
  readonly timedOut: boolean;
  /** The process was stopped because it printed more than a description can be. */
  readonly overflowed: boolean;
  /** The description, or the report of a crash. */
  readonly stdout: Buffer;
  /** Last lines of stderr, oldest first. */
  readonly stderrTail: readonly string[];
}

/**
 * Runs `runner --describe library` with these sandbox settings and an empty environment, in a process
 * group of its own, so that no process of the group outlives the time limit.
 * @throws BackworksError (as a rejection) BW_RUNNER_START when the program cannot be run
 */
export async function runDescribe(
  runner: string,
  library: string,
  settings: readonly string[],
  timeoutMs: number,
): Promise<DescribeRun> {
  const child = await spawnPiped({
    program: runner,
    args: ['--describe', library, ...settings],
    environment: {},
    directory: '/',
  });
  let [stdout, stderr] = [Buffer.alloc(0), Buffer.alloc(0)];
  let [timedOut, overflowed] = [false, false];
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill('SIGKILL');
  }, timeoutMs);
  child.stdout.on('data', (chunk: Buffer) => {
    stdout = Buffer.concat([stdout, chunk]);
    if (stdout.length <= OUTPUT_BYTES_MAX) return;
    overflowed = true;
    child.kill('SIGKILL');
    child.stdout.destroy();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = Buffer.concat([stderr, chunk]).subarray(-STDERR_BYTES_MAX);
  });
  const drained = Promise.all([closed(child.stdout), closed(child.stderr)]);
  // Waits for the end of the process, not of its pipes: a process that the library started may hold them.
  const { code, signal } = await child.ended;
  clearTimeout(timer);
  await Promise.race([drained, pause(DRAIN_MS, undefined, { ref: false })]);
  child.stdout.destroy();
  child.stderr.destroy();
  const stderrTail = stderr
    .toString()
    .split('\n')
    .filter((line) => line !== '');
  return { code, signal, timedOut, overflowed, stdout, stderrTail };
}

function closed(stream: Readable): Promise<void> {
  return new Promise((resolve) => stream.once('close', () => resolve()));
}
