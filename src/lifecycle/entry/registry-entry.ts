import { type BackworksError, type ErrorCode, PluginFailure, type PluginPhase } from '../../errors.js';
import type { CircuitStateName } from '../../execution/executor.js';
import type { LazyPlugin } from '../../plugins/lazy-plugin.js';
import { limitsInForce } from './limits-in-force.js';
import type { LoadedPlugin } from '../../plugins/loaded-plugin.js';
import type { PluginMetadata } from '../../plugins/metadata.js';
import { type PluginEntry, resolvePolicy } from '../../plugins/plugin-entry.js';
import { missingPermissions } from '../../plugins/permissions.js';
import { postMortem } from './post-mortem.js';
import { RefusalList } from './refusals.js';
import type { LimitsInForce, OwnStatus, PluginState, StateChange } from './status.js';
import type { Trial } from './trial.js';
import type { SwapRecord, VersionName } from './swap-record.js';
import { trialStatus, versionsOf } from './version-status.js';

/** What can be wrong with a plugin that serves. */
export type Condition = 'process' | 'circuit' | 'health' | 'sandbox';

const POST_MORTEMS_MAX = 5;
const STARTING: readonly PluginPhase[] = ['sandbox', 'load', 'initialize'];
/** Failures that say nothing about the library: the system or this installation is at fault. */
const NOT_THE_LIBRARYS: readonly ErrorCode[] = [
  'BW_RUNNER_START',
  'BW_RUNNER_VERSION',
  'BW_RUNNER_NOT_FOUND',
  'BW_PLUGIN_SANDBOX',
  'BW_INTERNAL',
];

interface KeptFailure {
  readonly time: Date;
  failure: PluginFailure;
  readonly limits: LimitsInForce;
}

/** One plugin's place in the registry: its plan, its state and, while it runs, the plugin. */
export class RegistryEntry {
  state: PluginState;
  plugin: LoadedPlugin | null = null;
  /** Takes its calls while it is not started; null otherwise. */
  standIn: LazyPlugin | null = null;
  error: BackworksError | null = null;
  /** SHA-256 of its library, in hexadecimal; null until it was read. */
  digest: string | null = null;
  readonly refusals = new RefusalList();
  /** Another version beside the one that serves; null when there is none. */
  trial: Trial | null = null;
  /** Versions that serve no more and finish their last requests. */
  readonly leaving = new Set<LoadedPlugin>();
  /** What became of the last swap this server tried. */
  lastSwap: SwapRecord | null = null;
  private reason: string | null;
  private since = new Date();
  private readonly conditions = new Map<Condition, string>();
  private circuitSinceMs = 0;
  /** Newest first. */
  private failures: KeptFailure[] = [];
  /** The newest answer nobody could use; apart, so that a flood of them hides no crash. */
  private badAnswer: KeptFailure | null = null;
  private failureTimes: number[] = [];
  /** What is still to be logged or written down about it, in order. */
  private reports: Promise<void> = Promise.resolve();

  constructor(
    public plan: PluginEntry,
    public metadata: PluginMetadata | null,
    /** Hears of each state, after what was reported before it. */
    private readonly onState: (change: StateChange) => void = () => undefined,
  ) {
    const { enabled } = plan.config;
    this.state = enabled ? 'discovered' : 'stopped';
    this.reason = enabled ? null : 'disabled in the configuration';
  }

  /** The version that serves, or was to. */
  get versionName(): VersionName {
    return { digest: this.digest, version: this.metadata?.version ?? null };
  }

  get limits(): LimitsInForce {
    return limitsInForce(this.plan.config, this.plugin?.sandbox ?? null);
  }

  get critical(): boolean {
    return resolvePolicy(this.plan.config, this.metadata).critical;
  }

  /** A new beginning: nothing is wrong with it yet. */
  loading(): void {
    this.conditions.clear();
    this.error = null;
    this.enter('loading', null);
  }

  /** It starts with its first use. @param reason why it is not started */
  postpone(plan: PluginEntry, standIn: LazyPlugin, digest: string, reason: string): void {
    this.conditions.clear();
    this.error = null;
    this.failureTimes = [];
    this.plan = plan;
    this.metadata = standIn.metadata;
    this.digest = digest;
    this.standIn = standIn;
    this.enter('lazy', reason);
  }

  /** What takes its calls; null when it does not serve. */
  get serving(): LoadedPlugin | LazyPlugin | null {
    return this.plugin ?? this.standIn;
  }

  ready(plugin: LoadedPlugin): void {
    this.plugin = plugin;
    this.standIn = null;
    this.metadata = plugin.metadata;
    const missing = plugin.sandbox?.missing ?? [];
    if (missing.length > 0) this.conditions.set('sandbox', `its sandbox lacks: ${missing.join('; ')}`);
    this.settle();
  }

  /** Another plugin in the place of the one that served: what was wrong with that one does not count. */
  succeed(plugin: LoadedPlugin): void {
    this.conditions.clear();
    this.error = null;
    this.failureTimes = [];
    this.digest = plugin.digest;
    this.ready(plugin);
  }

  fail(error: BackworksError): void {
    this.error = error;
    // Requests go on without an optional plugin; those a critical one was to see are refused.
    if (!this.critical) this.standIn = null;
    if (error instanceof PluginFailure && error.code !== 'BW_PLUGIN_QUARANTINED') this.keep(error);
    this.enter('failed', error.hint === undefined ? error.message : `${error.message} — ${error.hint}`);
  }

  /** Notes that something is wrong (a reason) or well again (null). */
  condition(condition: Condition, reason: string | null): void {
    if (reason === null) this.conditions.delete(condition);
    else this.conditions.set(condition, reason);
    if (this.plugin !== null) this.settle();
  }

  circuitChanged(circuit: CircuitStateName): void {
    this.circuitSinceMs = performance.now();
    this.condition('circuit', circuit === 'closed' ? null : `its circuit is ${circuit}`);
  }

  /** Keeps a failure for the operator; true when there were so many that the library is to be stopped. */
  failed(failure: PluginFailure): boolean {
    this.keep(failure);
    const { code } = failure;
    if (NOT_THE_LIBRARYS.includes(code)) return false;
    const { failures, windowMs } = this.plan.config.quarantine;
    if (failures === 0) return false;
    const now = performance.now();
    this.failureTimes = [...this.failureTimes.filter((time) => now - time < windowMs), now];
    return this.failureTimes.length >= failures;
  }

  /** Keeps the failure of a process that lives on. */
  answeredBadly(failure: PluginFailure): void {
    this.badAnswer = this.kept(failure);
  }

  /** Puts a failure in the place of the same one with less detail. */
  detail(failure: PluginFailure, detailed: PluginFailure): void {
    const kept = this.failures.find((entry) => entry.failure === failure);
    if (kept !== undefined) kept.failure = detailed;
  }

  /** Failures so far no longer count towards quarantine. */
  forgive(): void {
    this.failureTimes = [];
  }

  /** Does something after everything that was reported before it. @param work never rejects */
  report(work: () => void | Promise<void>): void {
    this.reports = this.reports.then(work);
  }

  /** Resolves when everything reported so far is done. */
  reported(): Promise<void> {
    return this.reports;
  }

  /** It is not to serve; a plugin that did was taken out before. */
  stop(reason: string): void {
    this.conditions.clear();
    this.error = null;
    this.standIn = null;
    this.enter('stopped', reason);
  }

  async close(): Promise<void> {
    const plugin = this.take();
    const { trial } = this;
    this.trial = null;
    trial?.stop();
    await Promise.all([plugin?.close(), trial?.other.close()]);
    await this.reports;
    if (plugin !== null) this.enter('stopped', 'shut down');
  }

  /** Takes the plugin out of service; the caller closes it. */
  take(): LoadedPlugin | null {
    const { plugin } = this;
    this.plugin = null;
    return plugin;
  }

  status(): OwnStatus {
    const { name, origin, config } = this.plan;
    const { critical, priority } = resolvePolicy(config, this.metadata);
    return {
      name,
      state: this.state,
      reason: this.reason,
      since: this.since,
      origin,
      type: config.type,
      path: config.path,
      version: this.metadata?.version ?? null,
      description: this.metadata?.description ?? null,
      hooks: this.metadata ? [...this.metadata.hooks] : [],
      isolation: config.isolation,
      critical,
      priority,
      circuit: this.circuit,
      calls: this.plugin?.calls ?? {},
      processes: this.plugin?.processes() ?? [],
      digest: this.digest,
      sandbox: {
        mode: config.sandbox,
        states: this.plugin?.sandbox?.states ?? {},
        missing: this.plugin?.sandbox?.missing ?? [],
      },
      missingPermissions: missingPermissions(this.metadata?.permissions ?? null, config.permissions),
      refusals: this.refusals.list(),
      limits: this.limits,
      trial: this.trial === null ? null : trialStatus(this.trial),
      versions: versionsOf(this),
      lastSwap: this.lastSwap,
      failures: [...this.failures, ...(this.badAnswer === null ? [] : [this.badAnswer])]
        .sort((a, b) => b.time.getTime() - a.time.getTime())
        .map(({ time, failure, limits }) => postMortem(failure, time, limits)),
    };
  }

  private get circuit(): CircuitStateName {
    const circuit = this.plugin?.circuit ?? 'closed';
    // The breaker itself notices only with the next call that it may let one through.
    const { resetAfterMs } = this.plan.config.circuitBreaker;
    return circuit === 'open' && performance.now() - this.circuitSinceMs >= resetAfterMs
      ? 'half-open'
      : circuit;
  }

  private keep(failure: PluginFailure): void {
    this.failures = [this.kept(failure), ...this.failures].slice(0, POST_MORTEMS_MAX);
  }

  private kept(failure: PluginFailure): KeptFailure {
    return { time: new Date(), failure, limits: this.limits };
  }

  private settle(): void {
    const reasons = [...this.conditions.values()];
    if (reasons.length === 0) this.enter('ready', null);
    else this.enter(this.serves() ? 'degraded' : 'failed', reasons.join('; '));
  }

  /** False when the newest process did not even start and there is no other. */
  private serves(): boolean {
    const phase = this.failures[0]?.failure.phase;
    if (!this.conditions.has('process') || phase === undefined || !STARTING.includes(phase)) return true;
    return this.plugin?.processes().some(({ state }) => state !== 'draining') ?? false;
  }

  private enter(state: PluginState, reason: string | null): void {
    if (state !== this.state) this.since = new Date();
    this.state = state;
    this.reason = reason;
    const change = { plugin: this.plan.name, critical: this.critical, state, reason, time: new Date() };
    const caused = state === 'failed' || this.conditions.has('process');
    const code = this.error?.code ?? null;
    // Later, when it is known in which function the process failed.
    this.report(() => {
      const newest = caused ? this.failures[0] : undefined;
      const failure = newest === undefined ? null : postMortem(newest.failure, newest.time, newest.limits);
      this.onState({ ...change, code: code ?? failure?.code ?? null, failure });
    });
  }
}
