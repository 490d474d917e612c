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

/** Limits the calls in flight. cockatiel's bulkhead also queues, which costs a promise for each call. */
export interface Bulkhead {
  readonly capacity: number;
  inFlight: number;
}

/** The policies around one plugin's hooks, outermost first. */
export interface Policies {
  /** Null when calls are not retried. */
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

/** Failures that the plugin did not cause. They must not keep its circuit open. */
const NOT_PLUGIN_FAULTS: ReadonlySet<ErrorCode> = new Set([
  'BW_PLUGIN_UNAVAILABLE',
  'BW_PLUGIN_OVERLOADED',
  'BW_PLUGIN_CIRCUIT_OPEN',
]);

const RETRY_CODES: Readonly<Record<RetryCondition, readonly ErrorCode[]>> = {
  crash: ['BW_PLUGIN_CRASHED', 'BW_PLUGIN_EXITED', 'BW_PLUGIN_PROTOCOL', 'BW_PLUGIN_UNAVAILABLE'],
  timeout: ['BW_PLUGIN_TIMEOUT'],
  bad_response: ['BW_PLUGIN_BAD_RESPONSE'],
};

/** Creates a plugin's policies. All are cockatiel's, except the deadline and the bulkhead. */
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
 * Creates policies for other settings. A policy whose settings are unchanged is reused, with its calls in
 * flight. A breaker with new settings starts in the state of the former breaker.
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
 * Queued calls are already sent to the process, so that it never idles between two calls. The queue is
 * therefore part of the capacity.
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

/** Whether the plugin caused a failure, so that its breaker counts it. */
export function isPluginFault(error: Error): boolean {
  if (error instanceof TaskCancelledError) return true;
  return error instanceof PluginFailure && !NOT_PLUGIN_FAULTS.has(error.code);
}
