import {
  bulkhead,
  circuitBreaker,
  type CircuitBreakerPolicy,
  ExponentialBackoff,
  handleWhen,
  type IPolicy,
  retry,
  TaskCancelledError,
} from 'cockatiel';
import type { PluginPolicy, RetryCondition } from '../config/types.js';
import { type ErrorCode, PluginFailure } from '../errors.js';
import { type DeadlineContext, DeadlinePolicy, type DeadlineTimer } from './deadline.js';
import { FailureWindowBreaker } from './failure-window.js';

/** The guards of one plugin's hooks, from the outside in. */
export interface Policies {
  /** Null when every call is tried once. */
  readonly retry: IPolicy | null;
  readonly breaker: CircuitBreakerPolicy;
  readonly bulkhead: IPolicy;
  readonly deadline: DeadlinePolicy;
}

export type PolicySettings = Pick<PluginPolicy, 'circuitBreaker' | 'retry' | 'limits' | 'instances'> & {
  readonly timeouts: { readonly callMs: number };
};

/** Failures that say nothing new about the plugin: they must not keep its breaker open. */
const NOT_THE_PLUGINS: ReadonlySet<ErrorCode> = new Set([
  'BW_PLUGIN_UNAVAILABLE',
  'BW_PLUGIN_OVERLOADED',
  'BW_PLUGIN_CIRCUIT_OPEN',
]);

const RETRY_CODES: Readonly<Record<RetryCondition, readonly ErrorCode[]>> = {
  crash: ['BW_PLUGIN_CRASHED', 'BW_PLUGIN_EXITED', 'BW_PLUGIN_PROTOCOL', 'BW_PLUGIN_UNAVAILABLE'],
  timeout: ['BW_PLUGIN_TIMEOUT'],
  bad_response: ['BW_PLUGIN_BAD_RESPONSE'],
};

/** Builds a plugin's policies; cockatiel's own but for the deadline. */
export function createPolicies(settings: PolicySettings, timer: DeadlineTimer): Policies {
  const { timeouts, circuitBreaker: breaker, limits, instances } = settings;
  // Waiting calls are already on their way to the process, so that it never idles between two calls:
  // the queue is part of the capacity.
  const capacity = instances * (limits.concurrency + limits.queue);
  return {
    retry: createRetry(settings.retry),
    breaker: circuitBreaker(handleWhen(isPluginFault), {
      halfOpenAfter: breaker.resetAfterMs,
      breaker: new FailureWindowBreaker(breaker.failures, breaker.windowMs),
    }),
    bulkhead: bulkhead(capacity, 0),
    deadline: new DeadlinePolicy(timeouts.callMs, timer),
  };
}

/**
 * Runs `operation` under the policies. Nested by hand: the same as cockatiel's `wrap()`, which costs
 * one more microsecond a call for its context objects.
 */
export function guard<T>(
  policies: Policies,
  operation: (context: DeadlineContext) => PromiseLike<T> | T,
): Promise<T> {
  const { breaker, bulkhead, deadline } = policies;
  const once = (): Promise<T> =>
    breaker.execute(({ signal }) => bulkhead.execute(() => deadline.execute(operation, signal), signal));
  return policies.retry === null ? once() : policies.retry.execute(once);
}

function createRetry({ attempts, on }: PluginPolicy['retry']): IPolicy | null {
  if (attempts <= 1 || on.length === 0) return null;
  const codes = new Set<ErrorCode>(on.flatMap((condition) => RETRY_CODES[condition]));
  const retryable = (error: Error): boolean =>
    (error instanceof TaskCancelledError && on.includes('timeout')) ||
    (error instanceof PluginFailure && codes.has(error.code));
  return retry(handleWhen(retryable), {
    maxAttempts: attempts - 1,
    backoff: new ExponentialBackoff({ initialDelay: 10, maxDelay: 1000 }),
  });
}

function isPluginFault(error: Error): boolean {
  if (error instanceof TaskCancelledError) return true;
  return error instanceof PluginFailure && !NOT_THE_PLUGINS.has(error.code);
}
