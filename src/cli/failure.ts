import { ConfigError } from '../config/source/problems.js';
import { type BackworksError, toBackworksError } from '../errors.js';
import type { CommandContext, ExitCode } from './command.js';
import { printJson } from './print.js';
import { printable } from './screen.js';

type FailureContext = Pick<CommandContext, 'out' | 'err' | 'json' | 'verbose'>;

/**
 * Says why a command failed: `code: what, where — hint` on stderr, or an error document on stdout.
 * @returns the exit code for it.
 */
export function reportFailure(thrown: unknown, context: FailureContext): ExitCode {
  const error = toBackworksError(thrown);
  if (context.json) printJson(context.out, { error: errorDocument(error) });
  else printError(error, context);
  return error.exitCode;
}

function errorDocument(error: BackworksError): object {
  const { code, message, hint = null } = error;
  return {
    code,
    message,
    hint,
    ...(error instanceof ConfigError ? { problems: error.problems } : undefined),
  };
}

function printError(error: BackworksError, { err, verbose }: FailureContext): void {
  const lines = printable(error.message).split('\n');
  const several = error instanceof ConfigError && error.problems.length > 1;
  const what = several ? `${error.problems.length} problems` : lines.join('\n');
  const hint = error.hint === undefined ? '' : err.style('dim', ` — ${printable(error.hint)}`);
  err.line(`${err.style(['red', 'bold'], error.code)}: ${what}${hint}`);
  if (several) for (const line of lines) err.line(line);
  if (verbose) for (const line of traces(error)) err.line(err.style('dim', printable(line)));
}

/** Stack of the error and of each cause, at most a few. */
function traces(error: Error): string[] {
  const found: string[] = [];
  let current: unknown = error;
  for (let depth = 0; current !== undefined && depth < 5; depth += 1) {
    const text = current instanceof Error ? (current.stack ?? current.message) : JSON.stringify(current);
    found.push(depth === 0 ? text : `caused by: ${text}`);
    current = current instanceof Error ? current.cause : undefined;
  }
  return found;
}
