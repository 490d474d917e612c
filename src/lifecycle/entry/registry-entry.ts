import type { FailurePolicy } from '../../config/types.js';
import { type BackworksError, PluginFailure } from '../../errors.js';
import type { CircuitStateName } from '../../execution/executor.js';
import { Mutex } from '../../mutex.js';
import type { Refusal } from '../../native/plugin.js';
import type { LazyPlugin } from '../../plugins/lazy-plugin.js';
import type { LoadedPlugin } from '../../plugins/loaded-plugin.js';
import type { PluginMetadata } from '../../plugins/metadata.js';
import { type PluginEntry, resolvePolicy } from '../../plugins/plugin-entry.js';
import {
  type Condition,
  copyOf,
  type EntryChange,
  type EntryFacts,
  HeldWork,
  restored,
} from './entry-change.js';
import { FailureLog } from './failure-log.js';
import { limitsInForce } from './limits-in-force.js';
import { ownStatus } from './own-status.js';
import { assertTransition, type PluginState } from './plugin-state.js';
import { RefusalList } from './refusals.js';
import type { LimitsInForce, OwnStatus, StateChange } from './status.js';
import type { SwapRecord, VersionName } from './swap-record.js';
import type { Trial } from './trial.js';

/**
 * One plugin of the registry: its plan, its state, and the versions that have processes.
 *
 * The entry is a state machine. Its states and transitions are those of STATE_TRANSITIONS; the methods under
 * "Transitions" are the only way to change the state, and each of them leaves the entry consistent: while the
 * state is lazy, ready or degraded, `serving` is not null. Other code reads an entry and never assigns to it.
 */
export class RegistryEntry {
  private facts: EntryFacts;
  private readonly work = new HeldWork();
  private readonly leavingVersions = new Set<LoadedPlugin>();
  private readonly refusals = new RefusalList();
  private readonly failures = new FailureLog();
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
    this.facts = {
      state: enabled ? 'discovered' : 'stopped',
      reason: enabled ? null : 'disabled in the configuration',
      since: new Date(),
      plan,
      metadata,
      digest: null,
      error: null,
      loaded: null,
      standIn: null,
      trial: null,
      swapRecord: null,
      conditions: new Map(),
    };
  }

  // Properties

  get state(): PluginState {
    return this.facts.state;
  }

  /** The plugin as the configuration describes it. */
  get plan(): PluginEntry {
    return this.facts.plan;
  }

  get metadata(): PluginMetadata | null {
    return this.facts.metadata;
  }

  /** SHA-256 of the library that serves or will serve, in hexadecimal; null until the library was read. */
  get digest(): string | null {
    return this.facts.digest;
  }

  /** Why the plugin failed; null in other states. */
  get error(): BackworksError | null {
    return this.facts.error;
  }

  /** The version that serves, or null. */
  get plugin(): LoadedPlugin | null {
    return this.facts.loaded;
  }

  /** The plugin that receives requests: the loaded one, or the stand-in that starts a lazy one; null if neither. */
  get serving(): LoadedPlugin | LazyPlugin | null {
    return this.facts.loaded ?? this.facts.standIn;
  }

  /** The trial of a second version beside the one that serves, or null. */
  get trial(): Trial | null {
    return this.facts.trial;
  }

  /** The last swap since the server started, or null. */
  get lastSwap(): SwapRecord | null {
    return this.facts.swapRecord;
  }

  /** The version that serves or will serve. */
  get versionName(): VersionName {
    return { digest: this.digest, version: this.metadata?.version ?? null };
  }

  get limits(): LimitsInForce {
    return limitsInForce(this.plan.config, this.facts.loaded?.sandbox ?? null);
  }

  get critical(): boolean {
    return resolvePolicy(this.plan.config, this.metadata).critical;
  }

  get onFailure(): FailurePolicy {
    return resolvePolicy(this.plan.config, this.metadata).onFailure;
  }

  // Transitions

  /** Loading begins. Problems of earlier attempts are cleared. */
  startLoading(): void {
    this.clearProblems();
    this.enter('loading', null);
  }

  /** Loading has succeeded. */
  finishLoading(plugin: LoadedPlugin): void {
    this.facts.loaded = plugin;
    this.facts.standIn = null;
    this.facts.metadata = plugin.metadata;
    const missing = plugin.sandbox?.missing ?? [];
    if (missing.length > 0) this.facts.conditions.set('sandbox', `its sandbox lacks: ${missing.join('; ')}`);
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
    this.facts.plan = plan;
    this.facts.digest = plugin.digest;
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
    this.facts.plan = plan;
    this.facts.metadata = standIn.metadata;
    this.facts.digest = digest;
    this.facts.standIn = standIn;
    this.enter('lazy', reason);
    return former;
  }

  /**
   * The plugin does not serve because of an error.
   * @returns the plugin that served before; the caller closes it
   */
  fail(error: BackworksError): LoadedPlugin | null {
    const former = this.takeOut();
    this.facts.error = error;
    // A stand-in that stays refuses requests.
    if (this.onFailure === 'skip') this.facts.standIn = null;
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
    this.facts.standIn = null;
    this.enter('stopped', reason);
    return former;
  }

  /** Records that a serving plugin has a problem (a reason) or no longer has it (null). */
  setCondition(condition: Condition, reason: string | null): void {
    if (reason === null) this.facts.conditions.delete(condition);
    else this.facts.conditions.set(condition, reason);
    if (this.facts.loaded !== null) this.enterByConditions();
  }

  setCircuit(circuit: CircuitStateName): void {
    this.circuitSinceMs = Date.now();
    this.setCondition('circuit', circuit === 'closed' ? null : `its circuit is ${circuit}`);
  }

  /** Shuts down all versions of the plugin. */
  async close(): Promise<void> {
    const trial = this.endTrial();
    const wasLoaded = this.facts.loaded !== null;
    const former = this.takeOut();
    await Promise.all([former?.close(), trial?.other.close()]);
    await this.reports.idle();
    if (wasLoaded) this.enter('stopped', 'shut down');
  }

  // Changes of several entries

  /**
   * Begins a change that can be undone, for example because another plugin cannot change. The entry changes at
   * once; what cannot be undone waits for the end of the change. The change ends in the same turn of the event loop.
   */
  beginChange(): EntryChange {
    const former = copyOf(this.facts);
    const restoreFailures = this.failures.checkpoint();
    return this.work.hold(() => {
      restoreFailures();
      this.facts = restored(former, this.facts);
    });
  }

  /** Does something that cannot be undone: at once, or when the present change is final. */
  afterChange(work: () => void): void {
    this.work.do(work);
  }

  // Facts that do not change the state

  /** Replaces the plan and leaves the processes unchanged. */
  adoptPlan(plan: PluginEntry): void {
    this.facts.plan = plan;
  }

  /** Replaces the plan and applies its policy to the running processes. */
  adjust(plan: PluginEntry): void {
    this.facts.plan = plan;
    if (this.facts.loaded === null) return;
    this.facts.loaded = this.facts.loaded.adjusted(resolvePolicy(plan.config, this.metadata));
    this.facts.trial?.adjust(this.facts.loaded, plan);
  }

  /** The library that will be loaded was read. While a plugin serves, the entry keeps that plugin's digest. */
  identify(digest: string): void {
    if (this.facts.loaded === null) this.facts.digest = digest;
  }

  /** The library was described without being loaded. */
  describe(metadata: PluginMetadata): void {
    this.facts.metadata ??= metadata;
  }

  /** A second version runs beside the one that serves. */
  beginTrial(trial: Trial): void {
    if (this.facts.trial !== null) throw new TypeError(`plugin ${this.plan.name} already has a trial`);
    this.facts.trial = trial;
  }

  /** @returns the trial that ended, or null */
  endTrial(): Trial | null {
    const trial = this.facts.trial;
    this.facts.trial = null;
    if (trial !== null) this.afterChange(() => trial.stop());
    return trial;
  }

  recordSwap(record: SwapRecord): void {
    this.facts.swapRecord = record;
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
    const run = (): Promise<void> =>
      this.reports
        .run(async () => work())
        .catch((defect: unknown) =>
          process.emitWarning(`a report about a plugin could not be written: ${String(defect)}`),
        );
    this.afterChange(() => void run());
  }

  /** Resolves when all work reported so far has ended. */
  reported(): Promise<void> {
    return this.reports.idle();
  }

  status(): OwnStatus {
    const { circuit, limits, leavingVersions: leaving } = this;
    const [refusals, failures] = [this.refusals.list(), this.failures.list()];
    return ownStatus(this.facts, { circuit, limits, refusals, failures, leaving });
  }

  private get circuit(): CircuitStateName {
    const circuit = this.facts.loaded?.circuit ?? 'closed';
    // cockatiel's breaker becomes half-open only at the next call, so the time decides here.
    const { resetAfterMs } = this.plan.config.circuitBreaker;
    return circuit === 'open' && Date.now() - this.circuitSinceMs >= resetAfterMs ? 'half-open' : circuit;
  }

  private takeOut(): LoadedPlugin | null {
    const former = this.facts.loaded;
    this.facts.loaded = null;
    return former;
  }

  private clearProblems(): void {
    this.facts.conditions.clear();
    this.facts.error = null;
  }

  private enterByConditions(): void {
    const reasons = [...this.facts.conditions.values()];
    if (reasons.length === 0) this.enter('ready', null);
    else this.enter(this.hasProcess() ? 'degraded' : 'failed', reasons.join('; '));
  }

  /** False if the newest process failed to start and no other process exists. */
  private hasProcess(): boolean {
    if (!this.facts.conditions.has('process') || !this.failures.newestFailedToStart) return true;
    return this.facts.loaded?.processes().some(({ state }) => state !== 'draining') ?? false;
  }

  private enter(state: PluginState, reason: string | null): void {
    const { name } = this.plan;
    assertTransition(name, this.facts.state, state);
    if (state !== this.facts.state) this.facts.since = new Date();
    this.facts.state = state;
    this.facts.reason = reason;
    const change = { plugin: name, critical: this.critical, state, reason, time: new Date() };
    const isCausedByFailure = state === 'failed' || this.facts.conditions.has('process');
    const code = this.facts.error?.code ?? null;
    // Reported asynchronously, because the function in which the process failed is looked up first.
    this.report(() => {
      const failure = isCausedByFailure ? this.failures.newest() : null;
      this.onState({ ...change, code: code ?? failure?.code ?? null, failure });
    });
  }
}
