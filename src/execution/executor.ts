import { BulkheadRejectedError, CircuitState, isBrokenCircuitError, TaskCancelledError } from 'cockatiel';
import { type CallOrigin, NO_CALLERS } from '../call-ticket.js';
import { Deferred } from '../deferred.js';
import { type BackworksError, PluginFailure, type PluginPhase, toBackworksError } from '../errors.js';
import type { DeadlinePolicy, DeadlineTimer } from './deadline.js';
import { FailureStreak } from './failure-streak.js';
import type { GuardedCall } from './guarded-call.js';
import { HookGuard, type Work } from './hook-guard.js';
import { type HookMetrics, type PluginMetrics } from '../metrics/plugin-metrics.js';
import { adjustPolicies, createPolicies, type Policies, type PolicySettings } from './policies.js';

/** The state of a circuit breaker. */
export type CircuitStateName = 'closed' | 'half-open' | 'open';

export interface PluginExecutorOptions {
  /** The plugin's name as configured. */
  readonly plugin: string;
  readonly settings: PolicySettings;
  readonly timer: DeadlineTimer;
  readonly metrics: PluginMetrics;
  onCircuitChange(state: CircuitStateName): void;
  /** A call failed with this error. */
  onFailure?(error: BackworksError): void;
  /** Every recent call of a hook failed, the newest with this error; null when a call succeeds again. */
  onFailing?(phase: PluginPhase, error: BackworksError | null): void;
}

/** Guards every call of a plugin with breaker, bulkhead, deadline, retry and metrics. No call bypasses it. */
export class PluginExecutor {
  private readonly policies: Policies;
  private readonly hooks: Map<PluginPhase, HookMetrics>;
  private readonly streaks: Map<PluginPhase, FailureStreak>;
  private readonly guards = new Map<PluginPhase, HookGuard>();
  private readonly listener: { dispose(): void };
  /** When the circuit last opened; shared with the executors that adjusted() made from this one. */
  private readonly opened: { atMs: number };

  /** @param former the executor this one replaces; calls in flight stay with the former one */
  constructor(
    private readonly options: PluginExecutorOptions,
    former?: PluginExecutor,
  ) {
    const { settings, timer, metrics, plugin } = options;
    this.hooks = former?.hooks ?? new Map<PluginPhase, HookMetrics>();
    this.opened = former?.opened ?? { atMs: -Infinity };
    this.streaks = former?.streaks ?? new Map<PluginPhase, FailureStreak>();
    this.policies =
      former === undefined
        ? createPolicies(settings, timer)
        : adjustPolicies(former.policies, { from: former.options.settings, to: settings }, timer);
    if (former?.policies.breaker === this.policies.breaker) {
      this.listener = former.listener;
      return;
    }
    former?.listener.dispose();
    this.listener = this.policies.breaker.onStateChange(() => {
      if (this.circuit === 'open') this.opened.atMs = performance.now();
      metrics.circuitState(plugin, this.circuit);
      options.onCircuitChange(this.circuit);
    });
    metrics.circuitState(plugin, this.circuit);
  }

  /**
   * Returns an executor with other settings for calls that begin from now on. It continues the counts and
   * the state of the breaker.
   */
  adjusted(settings: PolicySettings): PluginExecutor {
    return new PluginExecutor({ ...this.options, settings }, this);
  }

  /** Stops reporting the circuit's state: the plugin was removed. */
  withdraw(): void {
    this.listener.dispose();
    this.options.metrics.withdraw(this.options.plugin);
  }

  get circuit(): CircuitStateName {
    return CIRCUIT_NAMES[this.policies.breaker.state];
  }

  /** Calls and failures so far, by hook. */
  get counts(): Record<string, { calls: number; failed: number }> {
    return Object.fromEntries([...this.hooks].map(([hook, { calls, failed }]) => [hook, { calls, failed }]));
  }

  /** Counts of all hooks together, without health checks. */
  get totals(): { calls: number; failed: number; busyMs: number } {
    const totals = { calls: 0, failed: 0, busyMs: 0 };
    for (const [phase, { calls, failed, busyMs }] of this.hooks) {
      if (phase === 'health_check') continue;
      totals.calls += calls;
      totals.failed += failed;
      totals.busyMs += busyMs;
    }
    return totals;
  }

  /**
   * Runs one call that belongs to no request. `operation` uses `call.onStop()` so that the deadline can stop
   * the work. An answer that is available at once is returned without a promise.
   * @throws PluginFailure (as a rejection) whatever goes wrong with the plugin; a BackworksError
   *   that is not the plugin's fault is passed on.
   */
  execute<T>(phase: PluginPhase, operation: (call: GuardedCall) => Promise<T> | Deferred<T>): Promise<T>;
  execute<T>(phase: PluginPhase, operation: Work<T, T>['begin']): T | Promise<T>;
  execute<T>(phase: PluginPhase, operation: Work<T, T>['begin']): T | Promise<T> {
    const read = (reply: T): T => reply;
    const answer = this.run(phase, { ...NO_REQUEST, begin: operation, read });
    return answer instanceof Deferred ? answer.toPromise() : answer;
  }

  /**
   * Runs one call as execute() does, without promises. Reading the reply is guarded too: an error that `work.read`
   * throws is a failure of the call.
   */
  run<R, T>(phase: PluginPhase, work: Work<R, T>): T | Deferred<T> {
    // cockatiel would make calls wait for the trial call; here they fail at once.
    if (this.policies.breaker.state === CircuitState.HalfOpen) return this.refused(phase, work);
    return this.guardOf(phase).run(work);
  }

  /** Guards a call that is already running, because an earlier call (made at `askedAtMs`) led to it. */
  adopt<R, T>(phase: PluginPhase, work: Work<R, T>, askedAtMs: number): GuardedCall<T> {
    return this.guardOf(phase).adopt(work, askedAtMs);
  }

  private guardOf(phase: PluginPhase): HookGuard {
    return this.guards.get(phase) ?? this.createGuard(phase);
  }

  private createGuard(phase: PluginPhase): HookGuard {
    const { policies } = this;
    const deadline = this.deadlineOf(phase);
    const explain = (thrown: unknown): BackworksError => this.explain(thrown, phase);
    const metrics = this.metricsOf(phase);
    const streak = this.streakOf(phase, metrics);
    const onFailure = (error: BackworksError): void => {
      this.options.onFailure?.(error);
      streak?.add(error);
    };
    const { plugin } = this.options;
    const guard = new HookGuard({ plugin, phase, policies, deadline, metrics, explain, onFailure });
    this.guards.set(phase, guard);
    return guard;
  }

  /** Null for health checks, which are reported as the plugin's condition. */
  private streakOf(phase: PluginPhase, metrics: HookMetrics): FailureStreak | null {
    if (phase === 'health_check') return null;
    const streak =
      this.streaks.get(phase) ??
      new FailureStreak(metrics, (failure) => this.options.onFailing?.(phase, failure));
    this.streaks.set(phase, streak);
    return streak;
  }

  private refused(phase: PluginPhase, { trace }: CallOrigin): Deferred<never> {
    const error = this.circuitOpen(phase);
    const answer = new Deferred<never>();
    this.metricsOf(phase).failedWith(error.code, 0);
    trace?.called(this.options.plugin, phase, 0, error);
    this.options.onFailure?.(error);
    answer.reject(error);
    return answer;
  }

  private deadlineOf(phase: PluginPhase): DeadlinePolicy {
    return phase === 'health_check' ? this.policies.healthDeadline : this.policies.deadline;
  }

  private metricsOf(phase: PluginPhase): HookMetrics {
    let metrics = this.hooks.get(phase);
    if (metrics === undefined) {
      metrics = this.options.metrics.hook(this.options.plugin, phase);
      this.hooks.set(phase, metrics);
    }
    return metrics;
  }

  private explain(thrown: unknown, phase: PluginPhase): BackworksError {
    const { plugin } = this.options;
    if (thrown instanceof TaskCancelledError) {
      const { durationMs } = this.deadlineOf(phase);
      const message = `plugin ${plugin} did not answer ${phase} within ${durationMs} ms`;
      const setting = phase === 'health_check' ? 'health.timeout' : 'timeouts.call';
      const hint = `raise ${setting} if it needs longer`;
      return new PluginFailure('BW_PLUGIN_TIMEOUT', message, { plugin, phase, hint });
    }
    if (thrown instanceof BulkheadRejectedError) {
      const message = `plugin ${plugin} has more calls waiting than limits.queue allows`;
      const hint = 'raise limits.queue or instances';
      return new PluginFailure('BW_PLUGIN_OVERLOADED', message, { plugin, phase, hint });
    }
    if (isBrokenCircuitError(thrown)) return this.circuitOpen(phase);
    return toBackworksError(thrown);
  }

  private circuitOpen(phase: PluginPhase): PluginFailure {
    const { plugin } = this.options;
    const message = `plugin ${plugin} failed too often, so its circuit breaker is open`;
    const { resetAfterMs } = this.options.settings.circuitBreaker;
    const retryAfterMs = Math.max(0, this.opened.atMs + resetAfterMs - performance.now());
    return new PluginFailure('BW_PLUGIN_CIRCUIT_OPEN', message, { plugin, phase, retryAfterMs });
  }
}

const NO_REQUEST: CallOrigin = { requestId: null, callers: NO_CALLERS, trace: null };

const CIRCUIT_NAMES: Readonly<Record<CircuitState, CircuitStateName>> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.HalfOpen]: 'half-open',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
};
