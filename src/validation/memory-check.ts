import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { PluginConfig } from '../config/types.js';
import type { CrashFrame } from '../errors.js';
import { findProgram } from '../native/binaries.js';
import { libraryFacts } from '../native/library/library-facts.js';
import { CALL_MS_MIN, type Child, type Children } from './children.js';
import { askOne, type FuzzSettings } from './function-checks.js';
import { type MemoryError, memoryErrors } from './memcheck-report.js';
import { Random } from './random.js';
import { FailedInput, Finding } from './report.js';
import type { InputKind, Target } from './target.js';

const KINDS: readonly InputKind[] = ['empty', 'nested', 'encoding', 'hostile'];
const RANDOM_CASES = 100;
/** Ordinary input is repeated: memory that each call loses is then told from memory that is lost once. */
const ROUNDS = 3;
/** valgrind makes a program 10 to 50 times slower. */
const TIMES_SLOWER = 50;
const MS_MAX = 999_999_999;
const NAMED_MAX = 4;
const BY_GO = 'crosscall2';

export interface MemoryCheckParts {
  /** The library that is checked. */
  readonly path: string;
  readonly targets: readonly Target[];
  readonly children: Children;
  readonly fuzz: FuzzSettings;
}

/**
 * Calls the plugin under valgrind's memcheck, which sees each use of memory. valgrind does not run in a sandbox, so the
 * process has none.
 * @returns the detail of a check that passed
 * @throws Finding when there is no valgrind, or for what it found in functions of the plugin
 */
export async function checkMemory(parts: MemoryCheckParts): Promise<string> {
  const { path } = parts;
  if ((await libraryFacts(path)).exports.has(BY_GO))
    return 'not checked: valgrind cannot follow the stacks of Go, whose runtime checks memory itself';
  const valgrind = findProgram('valgrind');
  if (valgrind === null) {
    const hint = 'install valgrind (apt-get install valgrind), so that each use of memory is checked';
    throw new Finding('unavailable', 'not checked: valgrind is not installed', hint);
  }
  const { errors, calls } = await observed(valgrind, parts);
  const serious = errors.filter(({ kind }) => kind === 'error');
  if (serious.length > 0) {
    throw new Finding('failed', listed(serious), hintFor(serious), serious[0]?.frames);
  }
  if (errors.length > 0) {
    const hint = 'free what each call allocates, also when the input is not what you expect';
    throw new Finding('warning', `${listed(errors)}, in ${calls} calls`, hint, errors[0]?.frames);
  }
  return `${calls} calls under valgrind: each use of memory is valid, and none is lost`;
}

function hintFor(errors: readonly MemoryError[]): string | null {
  const isNamed = errors.every(({ frames }) => frames[0]?.file !== null);
  return isNamed ? null : 'build with -g, so that valgrind names the lines';
}

function listed(errors: readonly MemoryError[]): string {
  const texts = errors.map(({ text, frames }) => `${text} (${placeOf(frames[0])})`);
  const more = texts.length > NAMED_MAX ? `, and ${texts.length - NAMED_MAX} more` : '';
  return texts.slice(0, NAMED_MAX).join('; ') + more;
}

function placeOf(frame: CrashFrame | undefined): string {
  if (frame === undefined) return '?';
  const { at, function: name, file, line } = frame;
  const place = file === null ? at : `${basename(file)}${line === null ? '' : `:${line}`}`;
  return name === null ? place : `${name} at ${place}`;
}

interface Run {
  pid: number;
  calls: number;
  digest: string;
  /** Why not every call was made; null when all were. */
  failure: unknown;
}

interface Observed {
  readonly errors: readonly MemoryError[];
  readonly calls: number;
}

async function observed(valgrind: string, parts: MemoryCheckParts): Promise<Observed> {
  const { path, targets, children, fuzz } = parts;
  const directory = await mkdtemp(join(tmpdir(), 'backworks-memory-'));
  const command = [
    valgrind,
    '--quiet',
    '--xml=yes',
    `--xml-file=${join(directory, '%p.xml')}`,
    '--leak-check=full',
    '--show-leak-kinds=definite',
    '--track-origins=yes',
    '--vgdb=no',
  ];
  const run: Run = { pid: 0, calls: 0, digest: '', failure: null };
  try {
    try {
      await children.under(command, slowedDown).within(async (child) => {
        run.pid = child.plugin.processes().find(({ state }) => state === 'ready')?.pid ?? 0;
        run.digest = child.plugin.digest;
        for (const target of targets) run.calls += await askWith(child, target, fuzz.seed);
      });
    } catch (thrown) {
      if (run.pid === 0) throw unusable(thrown);
      if (!(thrown instanceof FailedInput)) throw thrown;
      run.failure = thrown.reason;
    }
    const text = await readFile(join(directory, `${run.pid}.xml`), 'utf8').catch(() => '');
    if (text === '') throw new Finding('unavailable', 'not checked: valgrind wrote no report');
    const errors = memoryErrors(text, { digest: run.digest, name: basename(path) });
    if (run.failure !== null && errors.length === 0) throw cutShort(run.failure);
    return { errors, calls: run.calls };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The settings of a plugin without a sandbox and without limits, with time for slow calls. */
function slowedDown({ timeouts, limits }: PluginConfig): Partial<PluginConfig> {
  const longer = (ms: number): number => Math.min(ms * TIMES_SLOWER, MS_MAX);
  return {
    sandbox: 'off',
    limits: { ...limits, memoryBytes: 0, openFiles: 0, threads: 0, fileSizeBytes: 0, callCpuMs: 0 },
    timeouts: {
      ...timeouts,
      initializeMs: longer(timeouts.initializeMs),
      callMs: longer(timeouts.callMs ?? CALL_MS_MIN),
      shutdownMs: longer(timeouts.shutdownMs),
    },
  };
}

/** @returns the number of calls */
async function askWith(child: Child, target: Target, seed: number): Promise<number> {
  const random = new Random(seed, target.name);
  const ordinary = Array.from({ length: ROUNDS }, () => target.ordinary).flat();
  const drawn = Array.from({ length: RANDOM_CASES }, () => target.random(random) ?? []).flat();
  const inputs = [...ordinary, ...KINDS.flatMap((kind) => target.inputs(kind)), ...drawn];
  for (const input of inputs) await askOne(child, input);
  return inputs.length;
}

function cutShort(reason: unknown): Finding {
  const why = reason instanceof Error ? reason.message : String(reason);
  return new Finding('skipped', `not checked to the end: under valgrind, ${why}`);
}

/** The plugin has started without valgrind before. */
function unusable(thrown: unknown): Finding {
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new Finding(
    'unavailable',
    `not checked: under valgrind, ${why}`,
    'valgrind may not know this processor, or lack the debug information of the C library (libc6-dbg)',
  );
}
