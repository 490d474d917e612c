import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A program that a test has started. */
export interface StartedProgram {
  /** What the first group of `ready` matched. */
  readonly said: string;
  /** Ends the program. Waits until it has ended. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * Starts a program in the repository's root. Its output is read to the end, so that its pipe never fills.
 * @param ready matches the line of stdout that says that the program is ready
 * @throws Error with all output when the program ends before
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
  const output: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => output.push(line));
  const said = await new Promise<string>((resolve, reject) => {
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      output.push(line);
      const found = ready.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.on('error', reject);
    child.on('close', () => {
      reject(new Error(`${program} ended too early:\n${output.join('\n')}`));
    });
  });
  return { said, end: (signal = 'SIGTERM') => end(child, signal) };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}
