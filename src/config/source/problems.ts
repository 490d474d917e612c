import { BackworksError, type ErrorCode } from '../../errors.js';
import { oneLine } from '../../printable.js';
import { displayPath, type Pointer } from './pointer.js';
import type { PluginConfig } from '../types.js';

/** One mistake in a configuration file. */
export interface ConfigProblem {
  readonly code: ConfigErrorCode;
  /**
   * As shown to people: relative to the working directory where that is shorter. The name of the flag
   * or variable for a value that stands in no file.
   */
  readonly file: string;
  /** Counted from 1; null, as the column is, for a value that stands in no file. */
  readonly line: number | null;
  readonly column: number | null;
  /** Such as `plugins.weather.timeouts.call`; empty for the whole file. */
  readonly path: string;
  /** What is wrong, without place and hint. */
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

  /** @param soundPlugins the entries of the file that are right, for checks that go on with them */
  constructor(
    problems: readonly ConfigProblem[],
    readonly soundPlugins: readonly PluginConfig[] = [],
  ) {
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
  const place = `${formatPlace(problem)}: `;
  const path = problem.path === '' ? '' : `${problem.path}: `;
  const hint = problem.hint === null ? '' : ` — ${problem.hint}`;
  return oneLine(place + path + problem.message + hint);
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

/** Counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where something stands: in a file, or in a flag or variable of that name. */
export type Place = { readonly file: string } & (Position | { readonly line: null; readonly column: null });

/** `file:line:column` */
export function formatPlace({ file, line, column }: Pick<ConfigProblem, 'file' | 'line' | 'column'>): string {
  return line === null ? file : `${file}:${line}:${column}`;
}

/** Nothing that has a name in the schema is deeper. */
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
  throwIfAny(soundPlugins?: () => readonly PluginConfig[]): void {
    if (this.problems.length > 0) this.fail(soundPlugins?.());
  }

  /** @throws ConfigError with all problems. */
  fail(soundPlugins?: readonly PluginConfig[]): never {
    throw new ConfigError(this.inOrder(), soundPlugins);
  }

  /** The problems in the order of the file; others follow. */
  inOrder(): readonly ConfigProblem[] {
    return sortProblems(this.problems);
  }
}

/** In the order of the file; those that stand in no file follow. */
export function sortProblems(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return [...problems].sort(byPlace);
}

function byPlace(a: ConfigProblem, b: ConfigProblem): number {
  if (a.line === null || b.line === null) return Number(a.line === null) - Number(b.line === null);
  return a.line - b.line || (a.column ?? 0) - (b.column ?? 0);
}
