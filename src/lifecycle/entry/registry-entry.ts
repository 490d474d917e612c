import { type BackworksError, PluginFailure, type PluginPhase } from '../../errors.js';
import type { CircuitStateName } from '../../execution/executor.js';
import { Mutex } from '../../mutex.js';
import type { Refusal } from '../../native/plugin.js';
import type { LazyPlugin } from '../../plugins/lazy-plugin.js';
import type { LoadedPlugin } from '../../plugins/loaded-plugin.js';
import type { PluginMetadata } from '../../plugins/metadata.js';
import { missingPermissions } from '../../plugins/permissions.js';
import { type PluginEntry, resolvePolicy } from '../../plugins/plugin-entry.js';
import { FailureLog } from './failure-log.js';
import { limitsInForce } from './limits-in-force.js';
import { assertTransition, type PluginState } from './plugin-state.js';
import { RefusalList } from './refusals.js';
import type { LimitsInForce, OwnStatus, StateChange } from './status.js';
import type { SwapRecord, VersionName } from './swap-record.js';
import type { Trial } from './trial.js';
import { trialStatus, versionsOf } from './version-status.js';

/** What can be wrong with a plugin that serves. */
export type Condition = 'process' | 'circuit' | 'health' | 'sandbox' | `calls of ${PluginPhase}`;

/**
 * One plugin of the registry: what it is to run, the state it is in, and the versions that have processes.
 *
 * The entry is a state machine. Its states and transitions are those of STATE_TRANSITIONS; the methods under
 * "Transitions" are the only way to change the state, and each of them leaves the entry consistent: while it is
 * lazy, ready or degraded, `serving` is not null. Other code reads an entry and never assigns to it.
 */
export class RegistryEntry {
  private currentState: PluginState;
  private reason: string | null;
  private since = new Date();
  private currentPlan: PluginEntry;
  private currentMetadata: PluginMetadata | null;
  private currentDigest: string | null = null;
  private currentError: BackworksError | null = null;
  private loaded: LoadedPlugin | null = null;
  private standIn: LazyPlugin | null = null;
  private currentTrial: Trial | null = null;
  private swapRecord: SwapRecord | null = null;
  private readonly leavingVersions = new Set<LoadedPlugin>();
  private readonly refusals = new RefusalList();
  private readonly failures = new FailureLog();
  private readonly conditions = new Map<Condition, string>();
  private circuitSinceMs = 0;
  /** Log lines and records about this plugin that are still to be written, in order. */
  private readonly reports = new Mutex();

  /**
   * @param metadata null while the library has not been described
   * @param onState is told of each state the plugin enters, after everything reported before it
   */
  constructor(
    plan: PluginEntry,
    metadata: PluginMetadata | null,
    private readonly onState: (change: StateChange) => void = () => undefined,
  ) {
    const { enabled } = plan.config;
    this.currentPlan = plan;
    this.currentMetadata = metadata;
    this.currentState = enabled ? 'discovered' : 'stopped';
    this.reason = enabled ? null : 'disabled in the configuration';
  }

  // What it is

  get state(): PluginState {
    return this.currentState;
  }

  /** What the configuration wants this plugin to be. */
  get plan(): PluginEntry {
    return this.currentPlan;
  }

  get metadata(): PluginMetadata | null {
    return this.currentMetadata;
  }

  /** SHA-256 of the library that serves or is to serve, in hexadecimal; null until it was read. */
  get digest(): string | null {
    return this.currentDigest;
  }

  /** Why the plugin failed; null in other states. */
  get error(): BackworksError | null {
    return this.currentError;
  }

  /** The version that serves; null when nothing is loaded. */
  get plugin(): LoadedPlugin | null {
    return this.loaded;
  }

  /** Receives requests: the loaded plugin, or the stand-in that starts it; null when it does not serve. */
  get serving(): LoadedPlugin | LazyPlugin | null {
    return this.loaded ?? this.standIn;
  }

  /** A second version beside the one that serves; null when there is none. */
  get trial(): Trial | null {
    return this.currentTrial;
  }

  /** The last swap this server tried; null before the first. */
  get lastSwap(): SwapRecord | null {
    return this.swapRecord;
  }

  /** The version that serves or is to serve. */
  get versionName(): VersionName {
    return { digest: this.digest, version: this.metadata?.version ?? null };
  }

  get limits(): LimitsInForce {
    return limitsInForce(this.plan.config, this.loaded?.sandbox ?? null);
  }

  get critical(): boolean {
    return resolvePolicy(this.plan.config, this.metadata).critical;
  }

  // Transitions

  /** Loading begins: problems of earlier attempts no longer count. */
  startLoading(): void {
    this.clearProblems();
    this.enter('loading', null);
  }

  /** Loading has succeeded. */
  finishLoading(plugin: LoadedPlugin): void {
    this.loaded = plugin;
    this.standIn = null;
    this.currentMetadata = plugin.metadata;
    const missing = plugin.sandbox?.missing ?? [];
    if (missing.length > 0) this.conditions.set('sandbox', `its sandbox lacks: ${missing.join('; ')}`);
    this.enterByConditions();
  }

  /**
   * Another version or another configuration takes over; problems of the former one no longer count.
   * @returns the plugin that served before; the caller closes it
   */
  replace(plan: PluginEntry, plugin: LoadedPlugin): LoadedPlugin | null {
    const former = this.takeOut();
    this.clearProblems();
    this.failures.forgive();
    this.currentPlan = plan;
    this.currentDigest = plugin.digest;
    this.finishLoading(plugin);
    return former;
  }

  /**
   * The plugin waits for its first use.
   * @param reason why it is not started
   * @returns the plugin that served before; the caller closes it
   */
  postpone(plan: PluginEntry, standIn: LazyPlugin, digest: string, reason: string): LoadedPlugin | null {
    const former = this.takeOut();
    this.clearProblems();
    this.failures.forgive();
    this.currentPlan = plan;
    this.currentMetadata = standIn.metadata;
    this.currentDigest = digest;
    this.standIn = standIn;
    this.enter('lazy', reason);
    return former;
  }

  /**
   * The plugin does not serve because of an error.
   * @returns the plugin that served before; the caller closes it
   */
  fail(error: BackworksError): LoadedPlugin | null {
    const former = this.takeOut();
    this.currentError = error;
    // The stand-in of a critical plugin stays and refuses requests; requests pass an optional one by.
    if (!this.critical) this.standIn = null;
    if (error instanceof PluginFailure && error.code !== 'BW_PLUGIN_QUARANTINED')
      this.failures.keep(error, this.limits);
    this.enter('failed', error.hint === undefined ? error.message : `${error.message} — ${error.hint}`);
    return former;
  }

  /**
   * The plugin is taken out of service on purpose.
   * @returns the plugin that served before; the caller closes it
   */
  stop(reason: string): LoadedPlugin | null {
    const former = this.takeOut();
    this.clearProblems();
    this.standIn = null;
    this.enter('stopped', reason);
    return former;
  }

  /** Notes a problem of a plugin that serves (a reason), or its end (null). */
  setCondition(condition: Condition, reason: string | null): void {
    if (reason === null) this.conditions.delete(condition);
    else this.conditions.set(condition, reason);
    if (this.loaded !== null) this.enterByConditions();
  }

  setCircuit(circuit: CircuitStateName): void {
    this.circuitSinceMs = Date.now();
    this.setCondition('circuit', circuit === 'closed' ? null : `its circuit is ${circuit}`);
  }

  /** Shuts the plugin down, with every version of it. */
  async close(): Promise<void> {
    const trial = this.endTrial();
    const wasLoaded = this.loaded !== null;
    const former = this.takeOut();
    await Promise.all([former?.close(), trial?.other.close()]);
    await this.reports.idle();
    if (wasLoaded) this.enter('stopped', 'shut down');
  }

  // Facts that do not change the state

  /** Takes another plan for the same processes. */
  adoptPlan(plan: PluginEntry): void {
    this.currentPlan = plan;
  }

  /** Guards the same processes by another policy. */
  adjust(plan: PluginEntry): void {
    this.currentPlan = plan;
    if (this.loaded === null) return;
    this.loaded = this.loaded.adjusted(resolvePolicy(plan.config, this.metadata));
    this.currentTrial?.adjust(this.loaded, plan);
  }

  /** The library that is about to be loaded was read. The one of a plugin that serves stays the entry's. */
  identify(digest: string): void {
    if (this.loaded === null) this.currentDigest = digest;
  }

  /** The library was described, without being loaded. */
  describe(metadata: PluginMetadata): void {
    this.currentMetadata ??= metadata;
  }

  /** A second version runs beside the one that serves. */
  beginTrial(trial: Trial): void {
    if (this.currentTrial !== null) throw new TypeError(`plugin ${this.plan.name} has a trial already`);
    this.currentTrial = trial;
  }

  /** @returns the trial that was under way; null when there was none */
  endTrial(): Trial | null {
    const trial = this.currentTrial;
    this.currentTrial = null;
    trial?.stop();
    return trial;
  }

  recordSwap(record: SwapRecord): void {
    this.swapRecord = record;
  }

  /** A version gets no new requests any more and finishes those it has. */
  addLeaving(version: LoadedPlugin): void {
    this.leavingVersions.add(version);
  }

  removeLeaving(version: LoadedPlugin): void {
    this.leavingVersions.delete(version);
  }

  /** Keeps what the sandbox refused the plugin. @returns false when the same was refused before */
  addRefusal(refusal: Refusal): boolean {
    return this.refusals.add(refusal);
  }

  /** Keeps a failure for the operator. @returns true when the library is to be quarantined for it */
  addFailure(failure: PluginFailure): boolean {
    this.failures.keep(failure, this.limits);
    return this.failures.count(failure, this.plan.config.quarantine);
  }

  /** Keeps the failure of a process that goes on. */
  addBadAnswer(failure: PluginFailure): void {
    this.failures.keepBadAnswer(failure, this.limits);
  }

  /** Replaces a kept failure by the same one with more detail. */
  detailFailure(failure: PluginFailure, detailed: PluginFailure): void {
    this.failures.detail(failure, detailed);
  }

  /** Failures so far no longer count towards quarantine. */
  forgive(): void {
    this.failures.forgive();
  }

  /** Does something after everything that was reported before it. @param work never rejects */
  report(work: () => void | Promise<void>): void {
    void this.reports.run(async () => work());
  }

  /** Resolves when everything reported so far is written. */
  reported(): Promise<void> {
    return this.reports.idle();
  }

  status(): OwnStatus {
    const { name, origin, config } = this.plan;
    const { critical, priority, body } = resolvePolicy(config, this.metadata);
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
      body,
      circuit: this.circuit,
      calls: this.loaded?.calls ?? {},
      processes: this.loaded?.processes() ?? [],
      digest: this.digest,
      sandbox: {
        mode: config.sandbox,
        states: this.loaded?.sandbox?.states ?? {},
        missing: this.loaded?.sandbox?.missing ?? [],
      },
      missingPermissions: missingPermissions(this.metadata?.permissions ?? null, config.permissions),
      refusals: this.refusals.list(),
      limits: this.limits,
      trial: this.trial === null ? null : trialStatus(this.trial),
      versions: versionsOf({ plugin: this.loaded, trial: this.trial, leaving: this.leavingVersions }),
      lastSwap: this.lastSwap,
      failures: this.failures.list(),
    };
  }

  private get circuit(): CircuitStateName {
    const circuit = this.loaded?.circuit ?? 'closed';
    // cockatiel's breaker becomes half-open only with the next call, by this clock.
    const { resetAfterMs } = this.plan.config.circuitBreaker;
    return circuit === 'open' && Date.now() - this.circuitSinceMs >= resetAfterMs ? 'half-open' : circuit;
  }

  private takeOut(): LoadedPlugin | null {
    const former = this.loaded;
    this.loaded = null;
    return former;
  }

  private clearProblems(): void {
    this.conditions.clear();
    this.currentError = null;
  }

  private enterByConditions(): void {
    const reasons = [...this.conditions.values()];
    if (reasons.length === 0) this.enter('ready', null);
    else this.enter(this.hasProcess() ? 'degraded' : 'failed', reasons.join('; '));
  }

  /** False when the newest process did not even start and there is no other. */
  private hasProcess(): boolean {
    if (!this.conditions.has('process') || !this.failures.newestFailedToStart) return true;
    return this.loaded?.processes().some(({ state }) => state !== 'draining') ?? false;
  }

  private enter(state: PluginState, reason: string | null): void {
    const { name } = this.plan;
    assertTransition(name, this.currentState, state);
    if (state !== this.currentState) this.since = new Date();
    this.currentState = state;
    this.reason = reason;
    const change = { plugin: name, critical: this.critical, state, reason, time: new Date() };
    const isCausedByFailure = state === 'failed' || this.conditions.has('process');
    const code = this.currentError?.code ?? null;
    // Reported later: by then the function in which the process failed is known.
    this.report(() => {
      const failure = isCausedByFailure ? this.failures.newest() : null;
      this.onState({ ...change, code: code ?? failure?.code ?? null, failure });
    });
  }
}
