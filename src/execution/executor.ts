import { BulkheadRejectedError, CircuitState, isBrokenCircuitError, TaskCancelledError } from 'cockatiel';
import { type BackworksError, PluginFailure, type PluginPhase, toBackworksError } from '../errors.js';
import { type DeadlineTimer, type GuardedCall } from './deadline.js';
import { type HookMetrics, type PluginMetrics } from './metrics.js';
import { createPolicies, guard, type Policies, type PolicySettings } from './policies.js';

export type CircuitStateName = 'closed' | 'half-open' | 'open';

export interface PluginExecutorOptions {
  /** The plugin's name as configured. */
  readonly plugin: string;
  readonly settings: PolicySettings;
  readonly timer: DeadlineTimer;
  readonly metrics: PluginMetrics;
  onCircuitChange(state: CircuitStateName): void;
}

/** The only way to a plugin's vtable: breaker, bulkhead, deadline, retry and metrics around each call. */
export class PluginExecutor {
  private readonly policies: Policies;
  private readonly hooks = new Map<PluginPhase, HookMetrics>();

  constructor(private readonly options: PluginExecutorOptions) {
    this.policies = createPolicies(options.settings, options.timer);
    this.policies.breaker.onStateChange(() => {
      options.metrics.circuitState(options.plugin, this.circuit);
      options.onCircuitChange(this.circuit);
    });
    options.metrics.circuitState(options.plugin, 'closed');
  }

  get circuit(): CircuitStateName {
    return CIRCUIT_NAMES[this.policies.breaker.state];
  }

  /** Calls and failures so far, by hook. */
  get counts(): Record<string, { calls: number; failed: number }> {
    return Object.fromEntries([...this.hooks].map(([hook, { calls, failed }]) => [hook, { calls, failed }]));
  }

  /**
   * Runs one call. `operation` sets `call.stop` so that the deadline can stop the work.
   * @throws PluginFailure (as a rejection) whatever goes wrong with the plugin; a BackworksError
   *   that is not the plugin's fault passes through.
   */
  async execute<T>(phase: PluginPhase, operation: (call: GuardedCall) => PromiseLike<T>): Promise<T> {
    const metrics = this.metricsOf(phase);
    const startedAtMs = performance.now();
    try {
      // cockatiel lets calls wait for the outcome of the trial call; here they take the fallback.
      if (this.policies.breaker.state === CircuitState.HalfOpen) throw this.circuitOpen(phase);
      const result = await guard(this.policies, ({ call }) => operation(call));
      metrics.succeeded(performance.now() - startedAtMs);
      return result;
    } catch (thrown) {
      const error = this.explain(thrown, phase);
      metrics.failedWith(error.code, performance.now() - startedAtMs);
      throw error;
    }
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
    const { plugin, settings } = this.options;
    if (thrown instanceof TaskCancelledError) {
      const message = `plugin ${plugin} did not answer ${phase} within ${settings.timeouts.callMs} ms`;
      const hint = 'raise timeouts.call if it needs longer';
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
    const message = `plugin ${plugin} failed too often and is left alone for now`;
    return new PluginFailure('BW_PLUGIN_CIRCUIT_OPEN', message, { plugin, phase });
  }
}

const CIRCUIT_NAMES: Readonly<Record<CircuitState, CircuitStateName>> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.HalfOpen]: 'half-open',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
};
