import { execFile, spawnSync } from 'node:child_process';
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
export function run(what, command, args, options) {
  const result = spawnSync(command, args, { ...processOptions(command, options), stdio: QUIET });
  const { error, status, signal, stdout, stderr } = result;
  if (error !== undefined) throw couldNotStart(what, error);
  if (status !== 0) throw failed(what, { code: status, signal, output: `${stdout}${stderr}` });
  return stdout;
}

/** The same without blocking, for programs that run at the same time. Rejects with the SetupError. */
export function runConcurrently(what, command, args, options) {
  return new Promise((resolve, reject) => {
    execFile(command, args, processOptions(command, options), (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else if (typeof error.code === 'string') reject(couldNotStart(what, error));
      else reject(failed(what, { code: error.code, signal: error.signal, output: `${stdout}${stderr}` }));
    });
  });
}

const QUIET = ['ignore', 'pipe', 'pipe'];

function processOptions(command, { env = {}, cwd = root } = {}) {
  return {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    // On Windows npm and similar programs are .cmd files, which only a shell can start.
    shell: process.platform === 'win32' && !command.endsWith('.exe'),
  };
}

function couldNotStart(what, error) {
  return new SetupError(`${what} could not start: ${error.message}`);
}

function failed(what, { code, signal, output }) {
  const ending = code === null || code === undefined ? `signal ${signal}` : `exit code ${code}`;
  return new SetupError(`${what} failed (${ending})\n${output.trimEnd()}`);
}
