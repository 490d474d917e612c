import type { PluginPolicy } from '../config/types.js';
import { type BackworksError, type ErrorCode, PluginFailure, toBackworksError } from '../errors.js';
import { checkLibrary, readLibraryFacts } from '../native/library/facts/index.js';
import type { LibraryReader } from './library-reader.js';
import type { LoadedPlugin } from './loaded-plugin.js';
import { type PluginLoader, UNHEARD } from './loader.js';
import type { PluginMetadata } from './metadata.js';
import { callWithSamples } from './sample-calls.js';

/** The result of one check. "skipped": the check could not run, for example because the plugin needs a configuration. */
export type CheckOutcome = 'passed' | 'failed' | 'crashed' | 'skipped';

/** One check of a library. */
export interface ValidationCheck {
  readonly name: string;
  readonly outcome: CheckOutcome;
  readonly detail: string;
  readonly hint: string | null;
  readonly durationMs: number;
}

/** The result of `validatePlugin()`. */
export interface ValidationReport {
  readonly path: string;
  /** No check failed or crashed. */
  readonly ok: boolean;
  readonly checks: readonly ValidationCheck[];
  readonly metadata: PluginMetadata | null;
}

export interface ValidateOptions {
  readonly reader: LibraryReader;
  readonly loader: PluginLoader;
  readonly defaults: PluginPolicy;
}

const CRASH_CODES: ReadonlySet<ErrorCode> = new Set([
  'BW_PLUGIN_CRASHED',
  'BW_PLUGIN_EXITED',
  'BW_PLUGIN_TIMEOUT',
  'BW_PLUGIN_PROTOCOL',
]);

/**
 * What the processes are started with: freed memory is overwritten and small blocks are checked, so that
 * damage to the heap shows which would go unnoticed otherwise. Other C libraries ignore it.
 */
export const HEAP_CHECKS = { GLIBC_TUNABLES: 'glibc.malloc.perturb=255:glibc.malloc.tcache_count=0' };

/**
 * Checks a library from the outside in: the file, loading, its description, a start with an empty
 * configuration, each hook with sample documents, the end. Plugin code runs only in processes of its own, so a
 * crash is a result like any other.
 */
export async function validateLibrary(path: string, options: ValidateOptions): Promise<ValidationReport> {
  const report = new Report();
  let metadata: PluginMetadata | null = null;
  const file = await report.check('file', async () => {
    const facts = await readLibraryFacts(path);
    checkLibrary(path, facts);
    return `${facts.format} for ${facts.architectures.join(', ')}, exports plugin_info and plugin_vtable`;
  });
  if (file) {
    const described = await report.check('load and describe', async () => {
      metadata = await options.reader.read(path);
      return `${metadata.name} ${metadata.version}${metadata.threadSafe ? ', thread-safe' : ''}`;
    });
    if (described && metadata !== null) await checkRunning(path, metadata, options, report);
  }
  return { path, ok: report.ok, checks: report.checks, metadata };
}

async function checkRunning(
  path: string,
  { name }: PluginMetadata,
  { loader, defaults }: ValidateOptions,
  report: Report,
): Promise<void> {
  const config = {
    ...defaults,
    name,
    type: 'external',
    path,
    enabled: true,
    config: {},
    permissions: { ...defaults.permissions, env: Object.keys(HEAP_CHECKS) },
    where: null,
  } as const;
  let plugin: LoadedPlugin | null = null;
  await report.check('initialize with an empty configuration', async () => {
    plugin = await loader.load({ name, origin: 'config', config }, UNHEARD);
    return 'initialize() returned 0';
  });
  const running = plugin as LoadedPlugin | null;
  if (running === null) return;
  try {
    await report.check('health_check', async () => {
      const { status, text } = await running.health();
      if (status === 'unhealthy') throw new Error(`the plugin says it is unhealthy: ${text}`);
      return text === '' ? status : `${status}: ${text}`;
    });
    for (const hook of running.metadata.hooks) {
      await report.check(hook, async () =>
        (await callWithSamples(running, hook)) ? 'a usable answer' : 'NULL',
      );
    }
  } finally {
    await report.check('shutdown', async () => {
      await running.close();
      return 'ended';
    });
  }
}

class Report {
  readonly checks: ValidationCheck[] = [];

  get ok(): boolean {
    return this.checks.every(({ outcome }) => outcome === 'passed' || outcome === 'skipped');
  }

  /** Runs one check and notes its outcome; true when it passed. */
  async check(name: string, run: () => Promise<string>): Promise<boolean> {
    const startedAtMs = performance.now();
    const note = (outcome: CheckOutcome, detail: string, hint: string | null): boolean => {
      this.checks.push({ name, outcome, detail, hint, durationMs: performance.now() - startedAtMs });
      return outcome === 'passed';
    };
    try {
      return note('passed', await run(), null);
    } catch (thrown) {
      const error = toBackworksError(thrown);
      return note(outcomeOf(error), `${error.message}${lastWords(error)}`, error.hint ?? null);
    }
  }
}

/** What glibc or a language says as it ends the process. */
function lastWords(error: BackworksError): string {
  const last = error instanceof PluginFailure ? error.stderrTail?.at(-1) : undefined;
  return last === undefined || error.message.includes(last) ? '' : ` (${last})`;
}

function outcomeOf({ code }: BackworksError): CheckOutcome {
  // A plugin may rightly refuse an empty configuration; only its operator knows a good one.
  if (code === 'BW_PLUGIN_INITIALIZE' || code === 'BW_PLUGIN_CONFIG') return 'skipped';
  return CRASH_CODES.has(code) ? 'crashed' : 'failed';
}
