import { BulkheadRejectedError, CircuitState } from 'cockatiel';
import type { CallOrigin } from '../call-ticket.js';
import { Deferred } from '../deferred.js';
import type { BackworksError, PluginPhase } from '../errors.js';
import type { DeadlinePolicy } from './deadline.js';
import { type Guard, GuardedCall } from './guarded-call.js';
import type { HookMetrics } from '../metrics/plugin-metrics.js';
import type { Policies } from './policies.js';

/** The work of a call. A retry runs it again. */
export interface Work<R, T> extends CallOrigin {
  /** Begins the work. The outcome may be available at once or later. */
  begin(call: GuardedCall): R | Promise<R> | Deferred<R>;
  /** Converts the reply of the work to the answer. May throw. */
  read(reply: R, call: GuardedCall): T;
}

export interface HookGuardOptions {
  readonly plugin: string;
  readonly phase: PluginPhase;
  readonly policies: Policies;
  readonly deadline: DeadlinePolicy;
  readonly metrics: HookMetrics;
  /** Converts whatever ended a call to an error with a code. */
  readonly explain: (thrown: unknown) => BackworksError;
  readonly onFailure: (error: BackworksError) => void;
}

/** One attempt of a call. */
class Attempt<R, T> extends GuardedCall<T> {
  /** @param askedAtMs when the plugin was called, if that was before this call's time started */
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
   * How long the call has taken. Answers of a hook batch arrive together, so for every hook but the first
   * only the time measured in the plugin is known.
   */
  get durationMs(): number {
    const now = performance.now();
    const passed = now - this.startedAtMs;
    if (this.askedAtMs === null) return passed;
    return Math.min(Math.max(passed, this.ownNs / NS_PER_MS), now - this.askedAtMs);
  }
}

const NS_PER_MS = 1_000_000;

type AnyAttempt = Attempt<unknown, unknown>;

/**
 * The policies around one function of a plugin. While the circuit is closed and the bulkhead has room,
 * cockatiel would run the work at once and keep no count of a success. So the work begins directly, and its
 * answer goes to the caller without a promise. Failures, and calls in any other state, go through cockatiel,
 * which alone opens and closes the circuit and decides about retries.
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
    this.conclude(retry === null ? once() : retry.execute(once), answer, work, performance.now());
    return answer;
  }

  /** Guards a call that is already running, because an earlier call (made at `askedAtMs`) led to it. */
  adopt<R, T>(work: Work<R, T>, askedAtMs: number): GuardedCall<T> {
    const { policies, deadline } = this.options;
    const call = new Attempt(deadline.durationMs, this, work, askedAtMs);
    policies.bulkhead.inFlight += 1;
    deadline.hold(call);
    return call;
  }

  /** The work of a call that began directly has ended. */
  answered(call: GuardedCall, reply: unknown): void {
    const { policies, metrics } = this.options;
    policies.bulkhead.inFlight -= 1;
    metrics.answered(call.ownNs);
    let value: unknown;
    try {
      value = (call as AnyAttempt).work.read(reply, call);
    } catch (error) {
      this.recover(call as AnyAttempt, error);
      return;
    }
    const { durationMs } = call as AnyAttempt;
    metrics.succeeded(durationMs);
    if (call.trace !== null) this.record(call, durationMs, null);
    call.resolve(value);
  }

  failed(call: GuardedCall, error: unknown): void {
    this.options.policies.bulkhead.inFlight -= 1;
    this.recover(call as AnyAttempt, error);
  }

  private begin<R, T>(work: Work<R, T>, guard: Guard): Attempt<R, T> {
    const { policies, deadline } = this.options;
    const call = new Attempt(deadline.durationMs, guard, work);
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

  /** Runs one attempt within cockatiel's breaker. */
  private tryOnce<R, T>(work: Work<R, T>): Promise<T> {
    const { breaker, bulkhead } = this.options.policies;
    return breaker.execute(() => {
      if (bulkhead.inFlight >= bulkhead.capacity) throw new BulkheadRejectedError(bulkhead.capacity, 0);
      return this.begin(work, this.withinCockatiel).toPromise();
    });
  }

  private readonly withinCockatiel: Guard = {
    // A trial call decides whether the circuit closes, so it must run.
    cancellable: false,
    answered: (call, reply) => {
      this.options.policies.bulkhead.inFlight -= 1;
      this.options.metrics.answered(call.ownNs);
      try {
        call.resolve((call as AnyAttempt).work.read(reply, call));
      } catch (error) {
        call.reject(error);
      }
    },
    failed: (call, error) => {
      this.options.policies.bulkhead.inFlight -= 1;
      call.reject(error);
    },
  };

  /** Reports a failure to cockatiel, which has not seen the call begin, and retries if cockatiel decides so. */
  private recover(call: AnyAttempt, error: unknown): void {
    const { breaker, retry } = this.options.policies;
    const rejected = (): Promise<never> => rejection(error);
    // A call that began in an earlier state of the circuit says nothing about the current state.
    const counted = (): Promise<never> =>
      breaker.state === CircuitState.Closed ? breaker.execute(rejected) : rejected();
    const outcome =
      retry === null
        ? counted()
        : retry.execute(({ attempt }) => (attempt === 0 ? counted() : this.tryOnce(call.work)));
    this.conclude(outcome, call, call, call.startedAtMs);
  }

  private record({ trace }: CallOrigin, durationMs: number, error: BackworksError | null): void {
    const { plugin, phase } = this.options;
    trace?.called(plugin, phase, durationMs, error);
  }

  private conclude<T>(
    outcome: Promise<T>,
    answer: Deferred<T>,
    origin: CallOrigin,
    startedAtMs: number,
  ): void {
    const { metrics, explain, onFailure } = this.options;
    const settled = outcome.then(
      (value) => {
        const durationMs = performance.now() - startedAtMs;
        metrics.succeeded(durationMs);
        this.record(origin, durationMs, null);
        answer.resolve(value);
      },
      (thrown: unknown) => {
        const error = explain(thrown);
        // A cancelled call was never made, so it is not counted.
        if (error.code !== 'BW_REQUEST_CANCELLED') {
          const durationMs = performance.now() - startedAtMs;
          metrics.failedWith(error.code, durationMs);
          this.record(origin, durationMs, error);
          onFailure(error);
        }
        answer.reject(error);
      },
    );
    // The metrics or a listener may throw. The caller must still get an outcome.
    settled.catch((defect: unknown) => answer.reject(defect));
  }
}

function callFailed(call: GuardedCall): (error: unknown) => void {
  return (error) => call.failed(error);
}

async function rejection(error: unknown): Promise<never> {
  throw error;
}
