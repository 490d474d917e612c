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

/** The kinds of problems a serving plugin can have. */
export type Condition = 'process' | 'circuit' | 'health' | 'sandbox' | `calls of ${PluginPhase}`;

/**
 * One plugin of the registry: its plan, its state, and the versions that have processes.
 *
 * The entry is a state machine. Its states and transitions are those of STATE_TRANSITIONS; the methods under
 * "Transitions" are the only way to change the state, and each of them leaves the entry consistent: while the
 * state is lazy, ready or degraded, `serving` is not null. Other code reads an entry and never assigns to it.
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
  /** Runs the writing of log lines and records about this plugin in order. */
  private readonly reports = new Mutex();

  /**
   * @param metadata null while the library has not been described
   * @param onState called for each state the plugin enters, after everything reported before it
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

  // Properties

  get state(): PluginState {
    return this.currentState;
  }

  /** The plugin as the configuration describes it. */
  get plan(): PluginEntry {
    return this.currentPlan;
  }

  get metadata(): PluginMetadata | null {
    return this.currentMetadata;
  }

  /** SHA-256 of the library that serves or will serve, in hexadecimal; null until the library was read. */
  get digest(): string | null {
    return this.currentDigest;
  }

  /** Why the plugin failed; null in other states. */
  get error(): BackworksError | null {
    return this.currentError;
  }

  /** The version that serves, or null. */
  get plugin(): LoadedPlugin | null {
    return this.loaded;
  }

  /** The plugin that receives requests: the loaded one, or the stand-in that starts a lazy one; null if neither. */
  get serving(): LoadedPlugin | LazyPlugin | null {
    return this.loaded ?? this.standIn;
  }

  /** The trial of a second version beside the one that serves, or null. */
  get trial(): Trial | null {
    return this.currentTrial;
  }

  /** The last swap since the server started, or null. */
  get lastSwap(): SwapRecord | null {
    return this.swapRecord;
  }

  /** The version that serves or will serve. */
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

  /** Loading begins. Problems of earlier attempts are cleared. */
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
   * Another version or configuration takes over. Problems of the former one are cleared.
   * @returns the plugin that served before; the caller closes it
   */
  replace(plan: PluginEntry, plugin: LoadedPlugin): LoadedPlugin | null {
    const former = this.takeOut();
    this.clearProblems();
    this.failures.resetCount();
    this.currentPlan = plan;
    this.currentDigest = plugin.digest;
    this.finishLoading(plugin);
    return former;
  }

  /**
   * The plugin waits for its first use.
   * @param reason why the plugin is not started
   * @returns the plugin that served before; the caller closes it
   */
  postpone(plan: PluginEntry, standIn: LazyPlugin, digest: string, reason: string): LoadedPlugin | null {
    const former = this.takeOut();
    this.clearProblems();
    this.failures.resetCount();
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
    // The stand-in of a critical plugin stays and refuses requests. Requests continue without an optional plugin.
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

  /** Records that a serving plugin has a problem (a reason) or no longer has it (null). */
  setCondition(condition: Condition, reason: string | null): void {
    if (reason === null) this.conditions.delete(condition);
    else this.conditions.set(condition, reason);
    if (this.loaded !== null) this.enterByConditions();
  }

  setCircuit(circuit: CircuitStateName): void {
    this.circuitSinceMs = Date.now();
    this.setCondition('circuit', circuit === 'closed' ? null : `its circuit is ${circuit}`);
  }

  /** Shuts down all versions of the plugin. */
  async close(): Promise<void> {
    const trial = this.endTrial();
    const wasLoaded = this.loaded !== null;
    const former = this.takeOut();
    await Promise.all([former?.close(), trial?.other.close()]);
    await this.reports.idle();
    if (wasLoaded) this.enter('stopped', 'shut down');
  }

  // Facts that do not change the state

  /** Replaces the plan and leaves the processes unchanged. */
  adoptPlan(plan: PluginEntry): void {
    this.currentPlan = plan;
  }

  /** Replaces the plan and applies its policy to the running processes. */
  adjust(plan: PluginEntry): void {
    this.currentPlan = plan;
    if (this.loaded === null) return;
    this.loaded = this.loaded.adjusted(resolvePolicy(plan.config, this.metadata));
    this.currentTrial?.adjust(this.loaded, plan);
  }

  /** The library that will be loaded was read. While a plugin serves, the entry keeps that plugin's digest. */
  identify(digest: string): void {
    if (this.loaded === null) this.currentDigest = digest;
  }

  /** The library was described without being loaded. */
  describe(metadata: PluginMetadata): void {
    this.currentMetadata ??= metadata;
  }

  /** A second version runs beside the one that serves. */
  beginTrial(trial: Trial): void {
    if (this.currentTrial !== null) throw new TypeError(`plugin ${this.plan.name} already has a trial`);
    this.currentTrial = trial;
  }

  /** @returns the trial that ended, or null */
  endTrial(): Trial | null {
    const trial = this.currentTrial;
    this.currentTrial = null;
    trial?.stop();
    return trial;
  }

  recordSwap(record: SwapRecord): void {
    this.swapRecord = record;
  }

  /** A version gets no new requests and finishes those in flight. */
  addLeaving(version: LoadedPlugin): void {
    this.leavingVersions.add(version);
  }

  removeLeaving(version: LoadedPlugin): void {
    this.leavingVersions.delete(version);
  }

  /** Records an operation that the sandbox refused. @returns false if the same one was refused before */
  addRefusal(refusal: Refusal): boolean {
    return this.refusals.add(refusal);
  }

  /** Records a failure. @returns true if the library must be quarantined now */
  addFailure(failure: PluginFailure): boolean {
    this.failures.keep(failure, this.limits);
    return this.failures.count(failure, this.plan.config.quarantine);
  }

  /** Records a failure after which the process keeps running. */
  addBadAnswer(failure: PluginFailure): void {
    this.failures.keepBadAnswer(failure, this.limits);
  }

  /** Replaces a recorded failure by a more detailed description of the same failure. */
  detailFailure(failure: PluginFailure, detailed: PluginFailure): void {
    this.failures.detail(failure, detailed);
  }

  /** Resets the count of failures towards quarantine. */
  resetFailureCount(): void {
    this.failures.resetCount();
  }

  /** Runs work after all work reported earlier. @param work must not reject */
  report(work: () => void | Promise<void>): void {
    // A report that fails, for example because the log fails, must not end the server.
    this.reports
      .run(async () => work())
      .catch((defect: unknown) =>
        process.emitWarning(`a report about a plugin could not be written: ${String(defect)}`),
      );
  }

  /** Resolves when all work reported so far has ended. */
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
      failsOpen: !critical && this.metadata?.hooks.has('before_request') === true,
      hasDenied: this.loaded?.hasDenied ?? false,
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
    // cockatiel's breaker becomes half-open only at the next call, so the time decides here.
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

  /** False if the newest process failed to start and no other process exists. */
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
    // Reported asynchronously, because the function in which the process failed is looked up first.
    this.report(() => {
      const failure = isCausedByFailure ? this.failures.newest() : null;
      this.onState({ ...change, code: code ?? failure?.code ?? null, failure });
    });
  }
}
