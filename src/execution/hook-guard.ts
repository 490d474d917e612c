import { BulkheadRejectedError, CircuitState } from 'cockatiel';
import type { CallOrigin } from '../call-ticket.js';
import { Deferred } from '../deferred.js';
import type { BackworksError } from '../errors.js';
import type { DeadlinePolicy } from './deadline.js';
import { type Guard, GuardedCall } from './guarded-call.js';
import type { HookMetrics } from '../metrics/plugin-metrics.js';
import type { Policies } from './policies.js';

/** What a call is to do; more than once, if it is tried again. */
export interface Work<R, T> extends CallOrigin {
  /** Begins; the outcome is at hand, or comes later. */
  begin(call: GuardedCall): R | Promise<R> | Deferred<R>;
  /** Makes the answer of what the work gave; it may throw. */
  read(reply: R, call: GuardedCall): T;
}

export interface HookGuardOptions {
  readonly policies: Policies;
  readonly deadline: DeadlinePolicy;
  readonly metrics: HookMetrics;
  /** Whatever ended a call, as an error with a code. */
  readonly explain: (thrown: unknown) => BackworksError;
  readonly onFailure: (error: BackworksError) => void;
}

/** One try of a call. */
class Try<R, T> extends GuardedCall<T> {
  /** @param askedAtMs when the plugin was asked, where that was before its time began to run */
  constructor(
    deadlineMs: number,
    guard: Guard,
    readonly work: Work<R, T>,
    readonly askedAtMs: number | null = null,
    now = performance.now(),
  ) {
    super(now, now + deadlineMs, work, guard);
  }

  /**
   * What has passed until now. Answers to hooks that were asked together arrive together: of all but the
   * first, the plugin's own time is what is known.
   */
  get durationMs(): number {
    const now = performance.now();
    const passed = now - this.startedAtMs;
    if (this.askedAtMs === null) return passed;
    return Math.min(Math.max(passed, this.ownNs / NS_PER_MS), now - this.askedAtMs);
  }
}

const NS_PER_MS = 1_000_000;

type AnyTry = Try<unknown, unknown>;

/**
 * The policies around one function of a plugin. While the circuit is closed and the bulkhead has room,
 * cockatiel would call at once and, for an answer, count nothing that lasts: so the work begins directly,
 * and its answer goes to the caller without a promise. Failures, and calls in any other state, go through
 * cockatiel, which alone opens and closes the circuit and decides what is tried again.
 */
export class HookGuard implements Guard {
  readonly cancellable = true;

  constructor(private readonly options: HookGuardOptions) {}

  run<R, T>(work: Work<R, T>): T | Deferred<T> {
    const { breaker, bulkhead, retry } = this.options.policies;
    if (breaker.state === CircuitState.Closed && bulkhead.inFlight < bulkhead.capacity)
      return this.begin(work, this).atHand;
    const answer = new Deferred<T>();
    const once = (): Promise<T> => this.tryOnce(work);
    this.conclude(retry === null ? once() : retry.execute(once), answer, performance.now());
    return answer;
  }

  /** A call that is under way because another one, made at `askedAtMs`, has led to it. */
  adopt<R, T>(work: Work<R, T>, askedAtMs: number): GuardedCall<T> {
    const { policies, deadline } = this.options;
    const call = new Try(deadline.durationMs, this, work, askedAtMs);
    policies.bulkhead.inFlight += 1;
    deadline.hold(call);
    return call;
  }

  /** The work of a call that began directly is done. */
  answered(call: GuardedCall, reply: unknown): void {
    const { policies, metrics } = this.options;
    policies.bulkhead.inFlight -= 1;
    metrics.answered(call.ownNs);
    let value: unknown;
    try {
      value = (call as AnyTry).work.read(reply, call);
    } catch (error) {
      this.recover(call as AnyTry, error);
      return;
    }
    metrics.succeeded((call as AnyTry).durationMs);
    call.resolve(value);
  }

  failed(call: GuardedCall, error: unknown): void {
    this.options.policies.bulkhead.inFlight -= 1;
    this.recover(call as AnyTry, error);
  }

  private begin<R, T>(work: Work<R, T>, guard: Guard): Try<R, T> {
    const { policies, deadline } = this.options;
    const call = new Try(deadline.durationMs, guard, work);
    policies.bulkhead.inFlight += 1;
    let outcome: R | Promise<R> | Deferred<R>;
    try {
      outcome = work.begin(call);
    } catch (error) {
      call.failed(error);
      return call;
    }
    if (outcome instanceof Deferred) outcome.listen(call);
    else if (outcome instanceof Promise) outcome.then((reply) => call.answered(reply), callFailed(call));
    else call.answered(outcome);
    if (!call.settled) deadline.hold(call);
    return call;
  }

  /** One try within cockatiel's breaker. */
  private tryOnce<R, T>(work: Work<R, T>): Promise<T> {
    const { breaker, bulkhead } = this.options.policies;
    return breaker.execute(() => {
      if (bulkhead.inFlight >= bulkhead.capacity) throw new BulkheadRejectedError(bulkhead.capacity, 0);
      return this.begin(work, this.withinCockatiel).toPromise();
    });
  }

  private readonly withinCockatiel: Guard = {
    // A call that is to show whether the circuit can be closed must run.
    cancellable: false,
    answered: (call, reply) => {
      this.options.policies.bulkhead.inFlight -= 1;
      this.options.metrics.answered(call.ownNs);
      try {
        call.resolve((call as AnyTry).work.read(reply, call));
      } catch (error) {
        call.reject(error);
      }
    },
    failed: (call, error) => {
      this.options.policies.bulkhead.inFlight -= 1;
      call.reject(error);
    },
  };

  /** Tells cockatiel of a failure it has not seen begin, and tries again if that is what it wants. */
  private recover(call: AnyTry, error: unknown): void {
    const { breaker, retry } = this.options.policies;
    const rejected = (): Promise<never> => rejection(error);
    // A call that outlasted the state it began in tells nothing about the present one.
    const counted = (): Promise<never> =>
      breaker.state === CircuitState.Closed ? breaker.execute(rejected) : rejected();
    const outcome =
      retry === null
        ? counted()
        : retry.execute(({ attempt }) => (attempt === 0 ? counted() : this.tryOnce(call.work)));
    this.conclude(outcome, call, call.startedAtMs);
  }

  private conclude<T>(outcome: Promise<T>, answer: Deferred<T>, startedAtMs: number): void {
    const { metrics, explain, onFailure } = this.options;
    const told = outcome.then(
      (value) => {
        metrics.succeeded(performance.now() - startedAtMs);
        answer.resolve(value);
      },
      (thrown: unknown) => {
        const error = explain(thrown);
        // A call that was taken back was never made: there is nothing to count.
        if (error.code !== 'BW_REQUEST_CANCELLED') {
          metrics.failedWith(error.code, performance.now() - startedAtMs);
          onFailure(error);
        }
        answer.reject(error);
      },
    );
    // Whoever counts or hears of the outcome may throw; the caller must not wait for ever.
    told.catch((defect: unknown) => answer.reject(defect));
  }
}

function callFailed(call: GuardedCall): (error: unknown) => void {
  return (error) => call.failed(error);
}

async function rejection(error: unknown): Promise<never> {
  throw error;
}
