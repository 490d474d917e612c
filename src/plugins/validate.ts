import type { PluginConfig, PluginPolicy } from '../config/types.js';
import {
  type BackworksError,
  type CrashFrame,
  type ErrorCode,
  PluginFailure,
  toBackworksError,
} from '../errors.js';
import { checkLibrary } from '../native/library/facts/index.js';
import { libraryFacts } from '../native/library/library-facts.js';
import type { LibraryReader } from './library-reader.js';
import type { LoadedPlugin } from './loaded-plugin.js';
import { IGNORED_EVENTS, type PluginEvents, type PluginLoader } from './loader.js';
import type { PipelineHook, PluginMetadata } from './metadata.js';
import { callWithSamples } from './sample-calls.js';
import { isVersion } from './version.js';

/**
 * The result of one check. "skipped": the check could not run, for example because the plugin needs a
 * configuration.
 */
export type CheckOutcome = 'passed' | 'warning' | 'failed' | 'crashed' | 'timeout' | 'skipped';

/** One check of a library. */
export interface ValidationCheck {
  readonly name: string;
  readonly outcome: CheckOutcome;
  readonly detail: string;
  readonly hint: string | null;
  /** Output of the process on stderr before it failed: the first and the last lines, oldest first. */
  readonly stderr: readonly string[];
  /** The functions that were active when a process crashed, innermost first. */
  readonly backtrace: readonly CrashFrame[];
  readonly durationMs: number;
}

/** The result of `validatePlugin()`. */
export interface ValidationReport {
  readonly path: string;
  /** True if the plugin was started and no check failed. */
  readonly ok: boolean;
  /** Whether the plugin was started, so that its hooks could be called. */
  readonly started: boolean;
  readonly checks: readonly ValidationCheck[];
  readonly metadata: PluginMetadata | null;
}

/** The settings to run a plugin with. Default: the default policy and an empty configuration. */
export type ValidatedAs = Partial<Omit<PluginConfig, 'path' | 'type' | 'enabled' | 'where'>>;

export interface ValidateOptions {
  readonly reader: LibraryReader;
  readonly loader: PluginLoader;
  readonly defaults: PluginPolicy;
  readonly as?: ValidatedAs | undefined;
}

/** The evidence of a check during which no process failed. */
const NONE = { stderr: [], backtrace: [] } as const;

const OUTCOMES: Partial<Record<ErrorCode, CheckOutcome>> = {
  BW_PLUGIN_CRASHED: 'crashed',
  BW_PLUGIN_EXITED: 'crashed',
  BW_PLUGIN_PROTOCOL: 'crashed',
  BW_PLUGIN_TIMEOUT: 'timeout',
};
const FAILURES: ReadonlySet<CheckOutcome> = new Set<CheckOutcome>(['failed', 'crashed', 'timeout']);

/**
 * Environment of the processes. glibc then overwrites freed memory and checks small blocks, which reveals heap
 * damage that would otherwise go unnoticed. Other C libraries ignore these settings.
 */
export const HEAP_CHECKS = { GLIBC_TUNABLES: 'glibc.malloc.perturb=255:glibc.malloc.tcache_count=0' };

/**
 * Checks a library step by step: the file, loading, metadata, start, each hook with sample documents, shutdown.
 * Plugin code runs only in separate processes, so a crash is a result and not an error.
 */
export async function validateLibrary(path: string, options: ValidateOptions): Promise<ValidationReport> {
  const report = new Report();
  let metadata: PluginMetadata | null = null;
  const file = await report.check('file', async () => {
    const facts = await libraryFacts(path);
    checkLibrary(path, facts);
    return `${facts.format} for ${facts.architectures.join(', ')}, exports plugin_info and plugin_vtable`;
  });
  let started = false;
  if (file) {
    const described = await report.check('load and describe', async () => {
      metadata = await options.reader.read(path, { ...options.defaults, ...options.as });
      return `${metadata.name} ${metadata.version}${metadata.threadSafe ? ', thread-safe' : ''}`;
    });
    if (described && metadata !== null) {
      checkDescription(metadata, report);
      started = await checkRunning(path, metadata, options, report);
    }
  }
  return { path, ok: started && !report.failed, started, checks: report.checks, metadata };
}

/** Reports metadata that is valid but probably a mistake. */
function checkDescription({ version, hooks, capabilities }: PluginMetadata, report: Report): void {
  if (!isVersion(version)) {
    const detail = `${JSON.stringify(version)} is not a semantic version`;
    const hint = 'plugin_info() returns a version such as "1.2.3", so that other plugins can depend on it';
    report.note('version', 'warning', detail, hint);
  }
  if (hooks.size === 0 && capabilities.length === 0) {
    const detail = 'the plugin has no hook and no capability, so nothing ever calls it';
    report.note('hooks', 'failed', detail, 'return at least one function from plugin_vtable()');
  }
}

/** @returns whether the plugin started, so that its hooks were called */
async function checkRunning(
  path: string,
  { name, hooks }: PluginMetadata,
  { loader, defaults, as }: ValidateOptions,
  report: Report,
): Promise<boolean> {
  const permissions = as?.permissions ?? defaults.permissions;
  const config: PluginConfig = {
    ...defaults,
    name,
    config: {},
    ...as,
    type: 'external',
    path,
    enabled: true,
    permissions: { ...permissions, env: [...new Set([...permissions.env, ...Object.keys(HEAP_CHECKS)])] },
    where: null,
  };
  // A plugin may rightly refuse to start without a configuration. The check is then skipped, not failed.
  const isConfigured = as?.config !== undefined;
  let plugin: LoadedPlugin | null = null;
  const start = isConfigured ? 'initialize' : 'initialize with an empty configuration';
  await report.check(
    start,
    async () => {
      const events: PluginEvents = { ...IGNORED_EVENTS, failed: (...failure) => report.locate(...failure) };
      plugin = await loader.load({ name: config.name, origin: 'config', config }, events);
      return 'initialize() returned 0';
    },
    isConfigured ? undefined : withoutConfig,
  );
  const running = plugin as LoadedPlugin | null;
  if (running === null) {
    for (const hook of hooks) report.note(hook, 'skipped', 'not called: the plugin did not start');
    return false;
  }
  try {
    await report.check('health_check', async () => {
      const { status, text } = await running.health();
      if (status === 'unhealthy') throw new Error(`the plugin reports that it is unhealthy: ${text}`);
      return text === '' ? status : `${status}: ${text}`;
    });
    for (const hook of running.metadata.hooks) await checkHook(running, hook, report);
  } finally {
    await report.check('shutdown', async () => {
      await running.close();
      return 'ended';
    });
  }
  return true;
}

/** Calls a hook with sample documents. A plugin that denies requests should be critical. */
async function checkHook(plugin: LoadedPlugin, hook: PipelineHook, report: Report): Promise<void> {
  const denials: number[] = [];
  await report.check(hook, async () => {
    const { answered, denied } = await callWithSamples(plugin, hook);
    if (denied !== null) denials.push(denied);
    return answered ? 'a usable answer' : 'NULL';
  });
  const [status] = denials;
  if (status === undefined || plugin.onFailure === 'refuse') return;
  const detail = `before_request answers ${status}, and the plugin is not critical: when it fails, requests pass`;
  const hint = 'put "critical": true into the manifest, so that requests are refused while the plugin fails';
  report.note('critical', 'warning', detail, hint);
}

/** The outcome of a failed check, and a hint. */
interface Verdict {
  readonly outcome: CheckOutcome;
  readonly hint: string | null;
}

/** Judges the failed start of a plugin with an empty configuration. */
function withoutConfig(error: BackworksError): Verdict {
  if (error.code !== 'BW_PLUGIN_INITIALIZE' && error.code !== 'BW_PLUGIN_CONFIG') return judge(error);
  const hint = 'give its configuration: --plugin-config FILE, or --config FILE and the name of the plugin';
  return { outcome: 'skipped', hint };
}

function judge({ code, hint }: BackworksError): Verdict {
  return { outcome: OUTCOMES[code] ?? 'failed', hint: hint ?? null };
}

class Report {
  readonly checks: ValidationCheck[] = [];
  /** Failures of processes, and the same failures with functions and source lines. */
  private readonly located = new Map<unknown, Promise<PluginFailure>>();

  locate(failure: PluginFailure, located: Promise<PluginFailure>): void {
    this.located.set(failure, located);
  }

  get failed(): boolean {
    return this.checks.some(({ outcome }) => FAILURES.has(outcome));
  }

  /** Adds a result without running a check. */
  note(name: string, outcome: CheckOutcome, detail: string, hint: string | null = null): void {
    this.checks.push({ name, outcome, detail, hint, ...NONE, durationMs: 0 });
  }

  /** Runs one check and adds its result. @returns true if it passed */
  async check(name: string, run: () => Promise<string>, judgement = judge): Promise<boolean> {
    const startedAtMs = performance.now();
    try {
      const detail = await run();
      const durationMs = performance.now() - startedAtMs;
      this.checks.push({ name, outcome: 'passed', detail, hint: null, ...NONE, durationMs });
      return true;
    } catch (thrown) {
      const durationMs = performance.now() - startedAtMs;
      const error = toBackworksError((await this.located.get(thrown)) ?? thrown);
      const evidence =
        error instanceof PluginFailure ? { stderr: error.stderrTail, backtrace: error.backtrace } : NONE;
      this.checks.push({ name, ...judgement(error), detail: error.message, ...evidence, durationMs });
      return false;
    }
  }
}
