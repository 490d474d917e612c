import { basename, resolve } from 'node:path';
import { BackworksError, PluginFailure, type ErrorCode } from '../../errors.js';
import { type DescribeRun, runDescribe } from './describe-process.js';
import { DescriptionCache, descriptionKey, type LoadCrash, type Remembered } from './description-cache.js';
import { readDescription } from './description.js';
import type { LibraryDescription, SandboxOptions } from '../plugin.js';
import { RUNNER_EXIT } from '../protocol/protocol.js';
import { findRunner } from '../binaries.js';
import { crashFrames, decisiveFrame, placeText } from '../process/crash-place.js';
import { readCrashReport } from '../process/crash-report.js';
import { withSourcePlaces } from '../process/crash-source.js';
import { lastWords } from '../process/last-words.js';
import { sandboxSettings } from '../process/sandbox.js';
import { dependenciesOf } from '../library/dependencies.js';
import { SharedWork } from '../library/shared-work.js';
import { inTurn } from '../process/start-turn.js';

const DEFAULT_TIMEOUT_MS = 2000;
const EXIT_LOAD = 75;
/** Signals that code causes itself. Other signals come from outside and say nothing about the library. */
const CRASHES: ReadonlySet<string> = new Set([
  'SIGSEGV',
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGSYS',
  'SIGTRAP',
]);

export interface DescribeOptions {
  /** Path of the runner program; default: findRunner(). */
  readonly runner?: string;
  /** How long loading and describing may take; default 2000. */
  readonly timeoutMs?: number;
  /** Where results are cached; default: see openCacheDirectory. null: no cache. */
  readonly cacheDirectory?: string | null;
  /**
   * Returns the file to load instead of the library, such as a copy, and its sandbox. Called only when the
   * library must be loaded. Default: the library itself, without a sandbox.
   */
  readonly prepare?: (
    library: string,
  ) => Promise<{ readonly file: string; readonly sandbox: SandboxOptions }>;
  /** Names what `prepare` depends on besides the library; the same name must give the same result. */
  readonly preparedFor?: string;
}

/**
 * Reads a library's description by loading the library in a short-lived process, without initializing it.
 * Descriptions and crashes are cached until the library or the runner changes.
 * @throws PluginFailure in phase 'describe': BW_PLUGIN_CRASHED, _EXITED, _TIMEOUT, _LOAD, _METADATA
 * @throws BackworksError BW_LIBRARY_NOT_FOUND, BW_RUNNER_NOT_FOUND, BW_RUNNER_START, BW_LIBRARY_STORE
 */
export async function describeLibrary(
  path: string,
  options: DescribeOptions = {},
): Promise<LibraryDescription> {
  const library = resolve(path);
  const { runner = findRunner(), timeoutMs = DEFAULT_TIMEOUT_MS, cacheDirectory } = options;
  const cache = cacheDirectory === null ? null : await DescriptionCache.open(cacheDirectory);
  const key = await keyOf(library, runner);
  const remembered = await cache?.read(key);
  if (remembered) return conclude(library, remembered);

  const ask = async (): Promise<Remembered> => {
    const prepared = await options.prepare?.(library);
    const file = prepared?.file ?? library;
    const settings = prepared === undefined ? [] : sandboxSettings(prepared.sandbox, file);
    const run = await inTurn(() => runDescribe(runner, file, settings, timeoutMs));
    const result = await judge(library, file, timeoutMs, run);
    // When the file was replaced meanwhile, the result may belong to the old or the new file.
    if (cache && (await keyOf(library, runner)) === key && isWorthKeeping(result))
      await cache.write(key, result);
    return result;
  };
  // Several plugins may use the same library.
  const question = cache === null ? null : JSON.stringify([library, key, timeoutMs, options.preparedFor]);
  return conclude(library, await describing.do(question, ask));
}

const describing = new SharedWork<Remembered>();

async function keyOf(library: string, runner: string): Promise<string> {
  try {
    const { digest } = await dependenciesOf(library);
    return await descriptionKey(library, runner, digest);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BackworksError('BW_LIBRARY_NOT_FOUND', `${library} cannot be described: ${why}`, { cause });
  }
}

/**
 * @param file the copy of the library that was loaded
 * @returns a description to check, or a crash
 * @throws PluginFailure for a failure that may not happen at the next attempt
 */
async function judge(
  library: string,
  file: string,
  timeoutMs: number,
  run: DescribeRun,
): Promise<Remembered> {
  const { code, signal } = run;
  if (run.timedOut) {
    const what = `did not finish loading within ${timeoutMs} ms and was stopped`;
    throw failed('BW_PLUGIN_TIMEOUT', library, what, run, 'it must not do long work before initialize()');
  }
  if (run.overflowed) throw failed('BW_PLUGIN_METADATA', library, 'has a description longer than 1 MiB', run);
  if (signal !== null) return loadCrash(library, file, signal, run);

  const answer = parseAnswer(run.stdout.toString());
  if (code === 0 && answer !== null) return { description: answer };
  if (code === EXIT_LOAD && typeof answer?.['error'] === 'string') {
    const why = answer['error'].replaceAll(file, () => library);
    throw failed('BW_PLUGIN_LOAD', library, `could not be loaded: ${why}`, run);
  }
  const known = code === null ? undefined : RUNNER_EXIT[code];
  const what = known ?? `it ended its process with exit code ${code ?? 'unknown'}`;
  throw failed('BW_PLUGIN_EXITED', library, `exited while being loaded: ${what}`, run);
}

/** Reads the report that the runner wrote instead of a description. There is none without a sandbox. */
async function loadCrash(
  library: string,
  file: string,
  signal: NodeJS.Signals,
  { stdout, stderrTail }: DescribeRun,
): Promise<LoadCrash> {
  const { places } = readCrashReport(0, stdout);
  const names = { loaded: basename(file), shown: basename(library) };
  const frames = stdout.length === 0 ? [] : crashFrames(places, names);
  const dependencies = (await dependenciesOf(library)).files.map(({ path }) => path);
  const backtrace = await withSourcePlaces(frames, { loaded: file, dependencies });
  const decisive = decisiveFrame(backtrace);
  return { signal, stderrTail, at: decisive === undefined ? null : placeText(decisive), backtrace };
}

function parseAnswer(stdout: string): Record<string, unknown> | null {
  try {
    const answer: unknown = JSON.parse(stdout);
    return typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function isWorthKeeping(result: Remembered): boolean {
  return 'description' in result || CRASHES.has(result.signal);
}

function conclude(library: string, result: Remembered): LibraryDescription {
  if ('description' in result) return readDescription(result.description, library);
  const { signal, at, stderrTail } = result;
  const hint = CRASHES.has(signal) ? 'it is not loaded again until the file changes' : undefined;
  const place = at === null ? '' : ` at ${at}`;
  const said = lastWords(stderrTail);
  const what = `crashed with ${signal} while being loaded${place}${said === null ? '' : `: ${said}`}`;
  throw failed('BW_PLUGIN_CRASHED', library, what, result, hint);
}

function failed(
  code: ErrorCode,
  library: string,
  what: string,
  run: Pick<DescribeRun, 'stderrTail'> &
    Partial<Pick<DescribeRun, 'code' | 'signal'> & Omit<LoadCrash, 'signal'>>,
  hint?: string,
): PluginFailure {
  return new PluginFailure(code, `plugin ${library} ${what}`, {
    plugin: library,
    phase: 'describe',
    signal: run.signal ?? undefined,
    exitStatus: run.code ?? undefined,
    stderrTail: run.stderrTail,
    at: run.at ?? undefined,
    backtrace: run.backtrace,
    said: lastWords(run.stderrTail) ?? undefined,
    hint,
  });
}
