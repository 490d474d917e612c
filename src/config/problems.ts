import { BackworksError, type ErrorCode } from '../errors.js';
import { displayPath, type Pointer } from './pointer.js';

/** One mistake in a configuration file. */
export interface ConfigProblem {
  readonly code: ConfigErrorCode;
  /** As shown to people: relative to the working directory where that is shorter. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  /** Such as `plugins.weather.timeouts.call`; empty for the whole file. */
  readonly path: string;
  /** What is wrong, without place and hint. */
  readonly message: string;
  readonly expected: string | null;
  readonly found: string | null;
  readonly hint: string | null;
}

export type ConfigErrorCode = Extract<
  ErrorCode,
  'BW_CONFIG_SYNTAX' | 'BW_CONFIG_INVALID' | 'BW_CONFIG_VARIABLE'
>;

/** Everything that is wrong with one configuration file; the message has one line for each problem. */
export class ConfigError extends BackworksError {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(gravest(problems), problems.map(formatProblem).join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }

  /** What `--json` prints. */
  toJSON(): { code: ErrorCode; message: string; problems: readonly ConfigProblem[] } {
    return { code: this.code, message: this.message, problems: this.problems };
  }
}

/** `file:line:column: path: message — hint` */
export function formatProblem(problem: ConfigProblem): string {
  const place = `${problem.file}:${problem.line}:${problem.column}: `;
  const path = problem.path === '' ? '' : `${problem.path}: `;
  const hint = problem.hint === null ? '' : ` — ${problem.hint}`;
  return place + path + problem.message + hint;
}

function gravest(problems: readonly ConfigProblem[]): ConfigErrorCode {
  const codes = new Set(problems.map((problem) => problem.code));
  if (codes.has('BW_CONFIG_SYNTAX')) return 'BW_CONFIG_SYNTAX';
  return codes.has('BW_CONFIG_INVALID') ? 'BW_CONFIG_INVALID' : 'BW_CONFIG_VARIABLE';
}

/** What is wrong: either a mismatch or a sentence of its own. */
export type Finding = { readonly hint?: string | undefined } & (
  { readonly expected: string; readonly found: string } | { readonly message: string }
);

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Collects the problems of one file, so that all are reported at once. */
export class ProblemReport {
  private readonly problems: ConfigProblem[] = [];

  constructor(readonly file: string) {}

  add(code: ConfigErrorCode, pointer: Pointer, position: Position, finding: Finding): void {
    const mismatch = 'expected' in finding;
    this.problems.push({
      code,
      file: this.file,
      line: position.line,
      column: position.column,
      path: displayPath(pointer),
      message: mismatch ? `expected ${finding.expected}, found ${finding.found}` : finding.message,
      expected: mismatch ? finding.expected : null,
      found: mismatch ? finding.found : null,
      hint: finding.hint ?? null,
    });
  }

  /** @throws ConfigError when there is a problem; they are in the order of the file. */
  throwIfAny(): void {
    if (this.problems.length === 0) return;
    throw new ConfigError(this.problems.sort((a, b) => a.line - b.line || a.column - b.column));
  }
}
