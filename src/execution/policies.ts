import { isDeepStrictEqual } from 'node:util';
import {
  circuitBreaker,
  type CircuitBreakerPolicy,
  ExponentialBackoff,
  handleWhen,
  retry,
  type RetryPolicy,
  TaskCancelledError,
} from 'cockatiel';
import type { PluginPolicy, RetryCondition } from '../config/types.js';
import { type ErrorCode, PluginFailure } from '../errors.js';
import { DeadlinePolicy, type DeadlineTimer } from './deadline.js';
import { FailureWindowBreaker } from './failure-window.js';

/** Calls that may be under way at once. cockatiel's bulkhead can wait, too, and costs a promise a call. */
export interface Bulkhead {
  readonly capacity: number;
  inFlight: number;
}

/** The guards of one plugin's hooks, from the outside in. */
export interface Policies {
  /** Null when every call is tried once. */
  readonly retry: RetryPolicy | null;
  readonly breaker: CircuitBreakerPolicy;
  readonly bulkhead: Bulkhead;
  readonly deadline: DeadlinePolicy;
  readonly healthDeadline: DeadlinePolicy;
}

export type PolicySettings = Pick<PluginPolicy, 'circuitBreaker' | 'retry' | 'limits' | 'instances'> & {
  readonly timeouts: { readonly callMs: number };
  readonly healthCheck: { readonly timeoutMs: number };
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
  return {
    retry: createRetry(settings.retry),
    breaker: createBreaker(settings.circuitBreaker),
    bulkhead: { capacity: capacityOf(settings), inFlight: 0 },
    deadline: new DeadlinePolicy(settings.timeouts.callMs, timer),
    healthDeadline: new DeadlinePolicy(settings.healthCheck.timeoutMs, timer),
  };
}

/**
 * Policies for other settings. Those whose settings stay are the same ones, calls under way included; a
 * breaker whose settings change begins in the state the former one was in.
 */
export function adjustPolicies(
  former: Policies,
  { from, to }: { readonly from: PolicySettings; readonly to: PolicySettings },
  timer: DeadlineTimer,
): Policies {
  const created = createPolicies(to, timer);
  const sameBreaker = isDeepStrictEqual(from.circuitBreaker, to.circuitBreaker);
  return {
    retry: created.retry,
    breaker: sameBreaker ? former.breaker : createBreaker(to.circuitBreaker, former.breaker),
    bulkhead: capacityOf(from) === capacityOf(to) ? former.bulkhead : created.bulkhead,
    deadline: from.timeouts.callMs === to.timeouts.callMs ? former.deadline : created.deadline,
    healthDeadline:
      from.healthCheck.timeoutMs === to.healthCheck.timeoutMs
        ? former.healthDeadline
        : created.healthDeadline,
  };
}

function createBreaker(
  { failures, windowMs, resetAfterMs }: PluginPolicy['circuitBreaker'],
  former?: CircuitBreakerPolicy,
): CircuitBreakerPolicy {
  return circuitBreaker(handleWhen(isPluginFault), {
    halfOpenAfter: resetAfterMs,
    breaker: new FailureWindowBreaker(failures, windowMs),
    initialState: former?.toJSON(),
  });
}

/**
 * Waiting calls are already on their way to the process, so that it never idles between two calls: the
 * queue is part of the capacity.
 */
function capacityOf({ instances, limits }: PolicySettings): number {
  return instances * (limits.concurrency + limits.queue);
}

function createRetry({ attempts, on }: PluginPolicy['retry']): RetryPolicy | null {
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

/** Whether a failure is the plugin's own: its breaker counts it. */
export function isPluginFault(error: Error): boolean {
  if (error instanceof TaskCancelledError) return true;
  return error instanceof PluginFailure && !NOT_THE_PLUGINS.has(error.code);
}
