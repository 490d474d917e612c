import { ConfigError, formatProblem } from '../../config/source/problems.js';
import { type BackworksError, toBackworksError } from '../../errors.js';
import type { CommandContext, ExitCode } from './command.js';
import { cellText, printJson } from '../terminal/print.js';
import { printable } from '../../printable.js';

type FailureContext = Pick<CommandContext, 'out' | 'err' | 'json' | 'verbose'>;

/**
 * Reports why a command failed: `code: what, where — hint` on stderr, or an error document on stdout.
 * @returns the exit code for the failure
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
  const problems = error instanceof ConfigError ? error.problems : [];
  const several = problems.length > 1;
  const what = several ? `${problems.length} problems` : cellText(error.message);
  const hint = error.hint === undefined ? '' : err.style('dim', ` — ${cellText(error.hint)}`);
  err.line(`${err.style(['red', 'bold'], error.code)}: ${what}${hint}`);
  if (several) for (const problem of problems) err.line(formatProblem(problem));
  if (verbose) for (const trace of traces(error)) err.line(err.style('dim', printable(trace)));
}

/** Stack traces of the error and of a few causes. */
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
