import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Prints one line of progress to stderr, so that stdout contains only the program's own output. */
export function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

/** A step that failed. The message is complete, so no stack trace is shown. */
export class SetupError extends Error {}

/**
 * Runs a program in the repository's root. Its output is shown only if it fails.
 * @throws SetupError with the output of the program
 */
export function run(what, command, args, { env = {}, cwd = root } = {}) {
  const result = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
    // On Windows npm and similar programs are .cmd files, which only a shell can start.
    shell: process.platform === 'win32' && !command.endsWith('.exe'),
  });
  if (result.error !== undefined) {
    throw new SetupError(`${what} could not start: ${result.error.message}`);
  }
  if (result.status !== 0) {
    const ending = result.status === null ? `signal ${result.signal}` : `exit code ${result.status}`;
    const output = `${result.stdout}${result.stderr}`.trimEnd();
    throw new SetupError(`${what} failed (${ending})\n${output}`);
  }
  return result.stdout;
}
