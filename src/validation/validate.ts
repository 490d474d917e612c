import { resolve } from 'node:path';
import type { EndpointConfig, JsonObject, PluginConfig, PluginPolicy } from '../config/types.js';
import type { BackworksError } from '../errors.js';
import { checkLibrary } from '../native/library/facts/index.js';
import { LibraryDigests } from '../native/library/library-digests.js';
import { libraryFacts } from '../native/library/library-facts.js';
import type { LibraryDescription } from '../native/plugin.js';
import type { LibraryReader } from '../plugins/library-reader.js';
import type { PluginLoader } from '../plugins/loader.js';
import { type PluginMetadata, readMetadata } from '../plugins/metadata.js';
import { resolvePolicy } from '../plugins/plugin-entry.js';
import { checkedConfig, Children } from './children.js';
import { checkDescription } from './description-checks.js';
import { evidenceOf, type ValidationEvidence } from './evidence.js';
import { checkFunction, type FuzzSettings } from './function-checks.js';
import { hookTarget } from './hook-target.js';
import { checkLeak, type Leak } from './leak-check.js';
import { checkLifecycle } from './lifecycle-checks.js';
import { libraryWords } from './library-words.js';
import { checkMemory } from './memory-check.js';
import { operationTarget } from './operation-input.js';
import { checkPermissions, touchedBy } from './permission-check.js';
import type { RecordedUse } from './recorded-use.js';
import { Finding, judge, Report, type ValidationCheck, type Verdict } from './report.js';
import { checkSystemCalls } from './system-call-check.js';
import type { Target } from './target.js';
import { checkThreads } from './thread-check.js';

/** The result of `validatePlugin()`. */
export interface ValidationReport {
  readonly path: string;
  /** True if the plugin was started and no check failed. */
  readonly ok: boolean;
  /** Whether the plugin was started, so that its hooks could be called. */
  readonly started: boolean;
  readonly checks: readonly ValidationCheck[];
  readonly metadata: PluginMetadata | null;
  /** The parts of the report that are the same whenever the same library is validated in the same way. */
  readonly evidence: ValidationEvidence;
}

/** The settings to run a plugin with. Default: the default policy and an empty configuration. */
export type ValidatedAs = Partial<Omit<PluginConfig, 'path' | 'type' | 'enabled' | 'where'>>;

/** What a validation does. */
export interface ValidationWish {
  /** Makes the sequence of random inputs; default: 1. */
  readonly seed?: number;
  /** Random inputs for each hook and operation; default: 1000. */
  readonly cases?: number;
  /** Random input for each hook and operation for this time, in seconds, instead of `cases`. */
  readonly seconds?: number;
  /** Only ordinary input: no unusual and no random input, no leaks, no threads, no restart. */
  readonly quick?: boolean;
  /** Also runs what needs a process without a sandbox: valgrind. Only for libraries that may do anything. */
  readonly withoutSandbox?: boolean;
  /** Called before each check with its name. */
  readonly progress?: (name: string) => void;
}

export interface ValidateOptions extends ValidationWish {
  readonly reader: LibraryReader;
  readonly loader: PluginLoader;
  readonly defaults: PluginPolicy;
  readonly as?: ValidatedAs | undefined;
  /** The endpoints of a configured plugin; empty for a library alone. */
  readonly endpoints?: readonly EndpointConfig[];
}

const SANITIZER = /^lib(?:a|hwa|l|t|m|ub)san\.|^libclang_rt\.\w*san/;
const SEED = 1;
const CASES = 1000;

/**
 * Checks a library step by step: the file, loading, metadata, start, each hook and operation with ordinary, unusual,
 * hostile and random input, memory, threads, and the end. Every check runs in processes of its own, in the sandbox of the
 * plugin, so a crash is a result and not an error.
 */
export async function validateLibrary(path: string, options: ValidateOptions): Promise<ValidationReport> {
  const report = new Report(options.progress ?? (() => undefined));
  const fuzz = fuzzOf(options);
  const found: Found = { leaks: [], use: null };
  let metadata: PluginMetadata | null = null;
  let children: Children | null = null;
  let started = false;
  const file = await report.check('file', async () => {
    const facts = await libraryFacts(path);
    checkLibrary(path, facts);
    requireNoSanitizer(facts.needed);
    return `${facts.format} for ${facts.architectures.join(', ')}, exports plugin_info and plugin_vtable`;
  });
  const described = file ? await describe(path, options, report) : null;
  if (described !== null) {
    metadata = described.metadata;
    const { description } = described;
    checkDescription(metadata, description.functions, manifestOf(description), report);
    const config = configOf(path, metadata, options);
    children = new Children(options.loader, checkedConfig(config, metadata), report);
    started = await checkRunning({
      path,
      metadata,
      config,
      children,
      report,
      fuzz,
      found,
      options,
      canPerform: description.functions.has('call'),
    });
  }
  const touched = touchedBy(children?.refusals ?? [], metadata?.permissions ?? null);
  const policy = resolvePolicy({ ...options.defaults, ...options.as }, metadata);
  if (started) await report.check('permissions', async () => checkPermissions(touched, policy.permissions));
  const ok = started && !report.failed;
  const { checks } = report;
  const sha256 = await new LibraryDigests().read(resolve(path));
  const { quick = false } = options;
  const facts = { quick, sha256, metadata, policy, fuzz, started, ok, checks, touched };
  const evidence = evidenceOf({ ...facts, ...found });
  return { path, ok, started, checks, metadata, evidence };
}

/** The runtime of a sanitizer must be loaded before the C library, and reserves more memory than a sandbox allows. */
function requireNoSanitizer(needed: readonly string[]): void {
  const runtime = needed.find((name) => SANITIZER.test(name));
  if (runtime === undefined) return;
  const detail = `it was built with a sanitizer: it needs ${runtime}, which a runner does not load`;
  const hint =
    'validate a build without -fsanitize, and add --without-sandbox for valgrind; to call this one, see "AddressSanitizer" in docs/plugin-development.md';
  throw new Finding('failed', detail, hint);
}

function fuzzOf({ seed = SEED, cases = CASES, seconds, quick }: ValidationWish): FuzzSettings {
  if (quick === true) return { seed, cases: 0, seconds: null };
  return { seed, cases: seconds === undefined ? cases : 0, seconds: seconds ?? null };
}

interface Described {
  readonly metadata: PluginMetadata;
  readonly description: LibraryDescription;
}

async function describe(
  path: string,
  { reader, defaults, as }: ValidateOptions,
  report: Report,
): Promise<Described | null> {
  let described: Described | null = null;
  await report.check('load and describe', async () => {
    const description = await reader.describe(path, { ...defaults, ...as });
    const metadata = readMetadata(description);
    described = { metadata, description };
    return `${metadata.name} ${metadata.version}${metadata.threadSafe ? ', thread-safe' : ''}`;
  });
  return described;
}

/** The manifest, which has been checked. */
function manifestOf({ manifest }: LibraryDescription): JsonObject {
  return JSON.parse(manifest ?? '{}') as JsonObject;
}

function configOf(path: string, { name }: PluginMetadata, { defaults, as }: ValidateOptions): PluginConfig {
  return { ...defaults, name, config: {}, ...as, type: 'external', path, enabled: true, where: null };
}

/** What checks found, for the evidence. */
interface Found {
  readonly leaks: Leak[];
  /** What the plugin asked the system for; null when it was not recorded. */
  use: RecordedUse | null;
}

interface RunningParts {
  readonly path: string;
  readonly metadata: PluginMetadata;
  /** As a server would run the plugin. */
  readonly config: PluginConfig;
  readonly children: Children;
  readonly report: Report;
  readonly fuzz: FuzzSettings;
  readonly found: Found;
  /** The library has the function call(). */
  readonly canPerform: boolean;
  readonly options: ValidateOptions;
}

/** @returns whether the plugin started, so that its hooks were called */
async function checkRunning(parts: RunningParts): Promise<boolean> {
  const { metadata, children, report, options } = parts;
  // A plugin may rightly refuse to start without a configuration. The check is then skipped, not failed.
  const isConfigured = options.as?.config !== undefined;
  const started = await report.check(
    isConfigured ? 'initialize' : 'initialize with an empty configuration',
    () => children.within(async () => 'initialize() returned 0'),
    isConfigured ? judge : withoutConfig,
  );
  if (!started) {
    for (const hook of metadata.hooks) report.note(hook, 'skipped', 'not called: the plugin did not start');
    return false;
  }
  await report.check('health_check', () =>
    children.within(async ({ plugin }) => {
      const { status, text } = await plugin.health();
      if (status === 'unhealthy') throw new Error(`the plugin reports that it is unhealthy: ${text}`);
      return text === '' ? status : `${status}: ${text}`;
    }),
  );
  const working: Target[] = [];
  for (const target of await targetsOf(parts)) {
    if (await checkTarget(target, parts)) working.push(target);
  }
  await checkLifecycle(working, children, parts.config, report, options.quick === true);
  if (options.quick !== true) await checkUnderTools(working, parts);
  return true;
}

/** Runs the plugin under programs that see what it does. */
async function checkUnderTools(targets: readonly Target[], parts: RunningParts): Promise<void> {
  const { path, metadata, config, children, report, fuzz, found, options } = parts;
  const { permissions: granted, config: configuration } = config;
  await report.check('system calls', () =>
    checkSystemCalls(
      { targets, children, metadata, granted, configuration, fuzz },
      (use) => (found.use = use),
    ),
  );
  if (options.withoutSandbox !== true) return;
  await report.check('memory', () => checkMemory({ path, targets, children, fuzz }));
}

async function targetsOf(parts: RunningParts): Promise<Target[]> {
  const { path, metadata, options } = parts;
  const words = await libraryWords(path);
  return [
    ...[...metadata.hooks].map((hook) => hookTarget(hook, options.endpoints ?? [], words)),
    ...(parts.canPerform ? metadata.capabilities : []).map((operation) => operationTarget(operation, words)),
  ];
}

/** @returns whether ordinary input works */
async function checkTarget(target: Target, parts: RunningParts): Promise<boolean> {
  const { children, report, config, metadata, fuzz, found } = parts;
  const { quick = false } = parts.options;
  const { onFailure, timeouts } = resolvePolicy(config, metadata);
  const works = await checkFunction(target, {
    children,
    report,
    fuzz,
    deadlineMs: timeouts.callMs,
    refuses: onFailure === 'refuse',
    quick,
  });
  if (!works || quick) return works;
  const limits = { memoryBytes: config.limits.memoryBytes, recycleBytes: config.recycle.memoryBytes };
  await report.check(`${target.name}: leak`, () =>
    checkLeak(target, children, limits, (leak) => found.leaks.push(leak)),
  );
  if (metadata.threadSafe)
    await report.check(`${target.name}: threads`, () => checkThreads(target, children, config));
  return true;
}

/** Judges the failed start of a plugin with an empty configuration. */
function withoutConfig(error: BackworksError): Verdict {
  if (error.code !== 'BW_PLUGIN_INITIALIZE' && error.code !== 'BW_PLUGIN_CONFIG') return judge(error);
  const hint = 'give its configuration: --plugin-config FILE, or --config FILE and the name of the plugin';
  return { outcome: 'skipped', hint };
}
