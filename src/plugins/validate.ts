import type { PluginConfig, PluginPolicy } from '../config/types.js';
import { type BackworksError, type ErrorCode, PluginFailure, toBackworksError } from '../errors.js';
import { checkLibrary, readLibraryFacts } from '../native/library/facts/index.js';
import type { LibraryReader } from './library-reader.js';
import type { LoadedPlugin } from './loaded-plugin.js';
import { type PluginLoader, UNHEARD } from './loader.js';
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
  /** What the process wrote to stderr before it failed: the first and the last lines, oldest first. */
  readonly stderr: readonly string[];
  readonly durationMs: number;
}

/** The result of `validatePlugin()`. */
export interface ValidationReport {
  readonly path: string;
  /** The plugin was started and run, and no check failed. */
  readonly ok: boolean;
  /** Whether the plugin was started, so that its hooks could be called. */
  readonly started: boolean;
  readonly checks: readonly ValidationCheck[];
  readonly metadata: PluginMetadata | null;
}

/** What a plugin is run with; the default policy and an empty configuration without it. */
export type ValidatedAs = Partial<Omit<PluginConfig, 'path' | 'type' | 'enabled' | 'where'>>;

export interface ValidateOptions {
  readonly reader: LibraryReader;
  readonly loader: PluginLoader;
  readonly defaults: PluginPolicy;
  readonly as?: ValidatedAs | undefined;
}

const OUTCOMES: Partial<Record<ErrorCode, CheckOutcome>> = {
  BW_PLUGIN_CRASHED: 'crashed',
  BW_PLUGIN_EXITED: 'crashed',
  BW_PLUGIN_PROTOCOL: 'crashed',
  BW_PLUGIN_TIMEOUT: 'timeout',
};
const FAILURES: ReadonlySet<CheckOutcome> = new Set<CheckOutcome>(['failed', 'crashed', 'timeout']);

/**
 * Environment of the processes: glibc overwrites freed memory and checks small blocks, so that damage to the
 * heap shows which would otherwise go unnoticed. Other C libraries ignore it.
 */
export const HEAP_CHECKS = { GLIBC_TUNABLES: 'glibc.malloc.perturb=255:glibc.malloc.tcache_count=0' };

/**
 * Checks a library from the outside in: the file, loading, its description, a start, each hook with sample
 * documents, the end. Plugin code runs only in processes of its own, so a crash is a result like any other.
 */
export async function validateLibrary(path: string, options: ValidateOptions): Promise<ValidationReport> {
  const report = new Report();
  let metadata: PluginMetadata | null = null;
  const file = await report.check('file', async () => {
    const facts = await readLibraryFacts(path);
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

/** What a description may say and its author should not want. */
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
  // Without a configuration a plugin may rightly refuse to start: then it is not checked, and not invalid.
  const isConfigured = as?.config !== undefined;
  let plugin: LoadedPlugin | null = null;
  const start = isConfigured ? 'initialize' : 'initialize with an empty configuration';
  await report.check(
    start,
    async () => {
      plugin = await loader.load({ name: config.name, origin: 'config', config }, UNHEARD);
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
      if (status === 'unhealthy') throw new Error(`the plugin says it is unhealthy: ${text}`);
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
  if (status === undefined || plugin.critical) return;
  const detail = `before_request answers ${status}, and the plugin is not critical: when it fails, requests pass`;
  const hint = 'put "critical": true into the manifest, so that requests are refused while the plugin fails';
  report.note('critical', 'warning', detail, hint);
}

/** How a check ended, and what its reader can do. */
interface Judgement {
  readonly outcome: CheckOutcome;
  readonly hint: string | null;
}

/** The judgement of a plugin that was started with an empty configuration. */
function withoutConfig(error: BackworksError): Judgement {
  if (error.code !== 'BW_PLUGIN_INITIALIZE' && error.code !== 'BW_PLUGIN_CONFIG') return judge(error);
  const hint = 'give its configuration: --plugin-config FILE, or --config FILE and the name of the plugin';
  return { outcome: 'skipped', hint };
}

function judge({ code, hint }: BackworksError): Judgement {
  return { outcome: OUTCOMES[code] ?? 'failed', hint: hint ?? null };
}

class Report {
  readonly checks: ValidationCheck[] = [];

  get failed(): boolean {
    return this.checks.some(({ outcome }) => FAILURES.has(outcome));
  }

  /** Notes something that took no time. */
  note(name: string, outcome: CheckOutcome, detail: string, hint: string | null = null): void {
    this.checks.push({ name, outcome, detail, hint, stderr: [], durationMs: 0 });
  }

  /** Runs one check and notes its outcome; true when it passed. */
  async check(name: string, run: () => Promise<string>, judgement = judge): Promise<boolean> {
    const startedAtMs = performance.now();
    try {
      const detail = await run();
      const durationMs = performance.now() - startedAtMs;
      this.checks.push({ name, outcome: 'passed', detail, hint: null, stderr: [], durationMs });
      return true;
    } catch (thrown) {
      const durationMs = performance.now() - startedAtMs;
      const error = toBackworksError(thrown);
      const stderr = error instanceof PluginFailure ? error.stderrTail : [];
      this.checks.push({ name, ...judgement(error), detail: error.message, stderr, durationMs });
      return false;
    }
  }
}
