import { BackworksError, type ErrorCode } from '../../errors.js';
import { oneLine } from '../../printable.js';
import { displayPath, type Pointer } from './pointer.js';
import type { PluginConfig } from '../types.js';

/** One mistake in a configuration. */
export interface ConfigProblem {
  readonly code: ConfigErrorCode;
  /**
   * The path for messages: relative to the working directory where that is shorter. The name of the flag or
   * variable for a value from outside the file.
   */
  readonly file: string;
  /** Counted from 1. Null, like the column, for a value from outside the file. */
  readonly line: number | null;
  readonly column: number | null;
  /** Path such as `plugins.weather.timeouts.call`; empty for the whole file. */
  readonly path: string;
  /** What is wrong, without location and hint. */
  readonly message: string;
  readonly expected: string | null;
  readonly found: string | null;
  readonly hint: string | null;
}

/** The codes a problem of a configuration can have. */
export type ConfigErrorCode = Extract<
  ErrorCode,
  'BW_CONFIG_SYNTAX' | 'BW_CONFIG_INVALID' | 'BW_CONFIG_VARIABLE'
>;

/**
 * Everything that is wrong with one configuration. The message has one line for each problem.
 *
 * @example
 * ```ts
 * import { ConfigError, parseConfig } from 'backworks';
 *
 * try {
 *   parseConfig('server: { prot: 80 }', { directory: process.cwd() });
 * } catch (error) {
 *   if (!(error instanceof ConfigError)) throw error;
 *   for (const { line, column, path, hint } of error.problems) {
 *     console.log(line, column, path, hint); // 1 11 server.prot did you mean "port"?
 *   }
 * }
 * ```
 */
export class ConfigError extends BackworksError {
  readonly problems: readonly ConfigProblem[];

  /** @param validPlugins the valid entries of the file, so that later checks can continue with them */
  constructor(
    problems: readonly ConfigProblem[],
    readonly validPlugins: readonly PluginConfig[] = [],
  ) {
    super(mostSevere(problems), problems.map(formatProblem).join('\n'));
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
  const place = `${formatPlace(problem)}: `;
  const path = problem.path === '' ? '' : `${problem.path}: `;
  const hint = problem.hint === null ? '' : ` — ${problem.hint}`;
  return oneLine(place + path + problem.message + hint);
}

function mostSevere(problems: readonly ConfigProblem[]): ConfigErrorCode {
  const codes = new Set(problems.map((problem) => problem.code));
  if (codes.has('BW_CONFIG_SYNTAX')) return 'BW_CONFIG_SYNTAX';
  return codes.has('BW_CONFIG_INVALID') ? 'BW_CONFIG_INVALID' : 'BW_CONFIG_VARIABLE';
}

/** What is wrong: either a mismatch or a full sentence. */
export type Finding = { readonly hint?: string | undefined } & (
  { readonly expected: string; readonly found: string } | { readonly message: string }
);

/** Counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The location of a value: in a file, or in the flag or variable of that name. */
export type Place = { readonly file: string } & (Position | { readonly line: null; readonly column: null });

/** `file:line:column` */
export function formatPlace({ file, line, column }: Pick<ConfigProblem, 'file' | 'line' | 'column'>): string {
  return line === null ? file : `${file}:${line}:${column}`;
}

/** No key that the schema names is nested deeper. */
const KEYS_SHOWN_MAX = 16;

/** Collects the problems of one configuration, so that all are reported at once. */
export class ProblemReport {
  private readonly problems: ConfigProblem[] = [];

  add(code: ConfigErrorCode, pointer: Pointer, place: Place, finding: Finding): void {
    const mismatch = 'expected' in finding;
    this.problems.push({
      code,
      file: place.file,
      line: place.line,
      column: place.column,
      path: displayPath(pointer, KEYS_SHOWN_MAX),
      message: mismatch ? `expected ${finding.expected}, found ${finding.found}` : finding.message,
      expected: mismatch ? finding.expected : null,
      found: mismatch ? finding.found : null,
      hint: finding.hint ?? null,
    });
  }

  /** @throws ConfigError when there is a problem. */
  throwIfAny(validPlugins?: () => readonly PluginConfig[]): void {
    if (this.problems.length > 0) this.fail(validPlugins?.());
  }

  /** @throws ConfigError with all problems. */
  fail(validPlugins?: readonly PluginConfig[]): never {
    throw new ConfigError(this.inOrder(), validPlugins);
  }

  /** The problems in the order of the file, then the problems from outside the file. */
  inOrder(): readonly ConfigProblem[] {
    return sortProblems(this.problems);
  }
}

/** In the order of the file. Problems from outside the file follow. */
export function sortProblems(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return [...problems].sort(byPlace);
}

function byPlace(a: ConfigProblem, b: ConfigProblem): number {
  if (a.line === null || b.line === null) return Number(a.line === null) - Number(b.line === null);
  return a.line - b.line || (a.column ?? 0) - (b.column ?? 0);
}
