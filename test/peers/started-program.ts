import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));
const READY_LIMIT_MS = 120_000;
const END_LIMIT_MS = 30_000;

/** A program that a test has started. */
export interface StartedProgram {
  /** What the first group of `ready` matched. */
  readonly said: string;
  /** All lines of stdout and stderr so far. */
  readonly lines: readonly string[];
  /** Ends the program. Waits until it has ended; SIGKILL follows when the signal does not end it. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

const children = new Set<ChildProcess>();

// A test that failed has not ended its programs, and jest does not exit while one of them runs.
afterAll(async () => {
  await Promise.all([...children].map((child) => end(child, 'SIGKILL')));
});

/**
 * Starts a program in the repository's root. Its output is read to the end, so that its pipe never fills. What a test
 * does not end is killed after the test file.
 * @param ready matches the line of stdout that says that the program is ready
 * @throws Error with all output when the program ends before, or is not ready after two minutes
 */
export async function startProgram(
  [program = '', ...args]: readonly string[],
  { ready, env = {} }: { readonly ready: RegExp; readonly env?: NodeJS.ProcessEnv },
): Promise<StartedProgram> {
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
  const said = await new Promise<string>((resolve, reject) => {
    const fail = (what: string): void => {
      clearTimeout(timer);
      reject(new Error(`${program} ${what}; its output:\n${lines.join('\n')}`));
    };
    const timer = setTimeout(() => {
      fail(`was not ready within ${READY_LIMIT_MS} ms`);
    }, READY_LIMIT_MS);
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      const found = ready.exec(line)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    });
    child.on('error', ({ message }) => {
      fail(`could not start: ${message}`);
    });
    child.on('close', () => {
      children.delete(child);
      fail('ended too early');
    });
  });
  return { said, lines, end: (signal = 'SIGTERM') => end(child, signal) };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), END_LIMIT_MS);
  await ended;
  clearTimeout(timer);
}
