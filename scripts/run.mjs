import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** One line of progress; the program's own output on stdout stays untouched. */
export function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

/** A step that went wrong; the message is all the reader needs. */
export class SetupError extends Error {}

/**
 * Runs a program in the repository's root and keeps quiet unless it fails.
 * @throws SetupError with everything the program wrote
 */
export function run(what, command, args, { env = {}, cwd = root } = {}) {
  const result = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
    // npm and friends are .cmd files on Windows, which only a shell starts.
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
