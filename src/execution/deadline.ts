import { TaskCancelledError } from 'cockatiel';
import type { CallOrigin } from '../call-ticket.js';
import { type Guard, GuardedCall } from './guarded-call.js';

/** A deadline is noticed at most this much late. */
const TICK_MS = 5;
/** Settled calls are removed from the front of the queue in batches of this size. */
const FORGET_BATCH = 64;

/**
 * One coarse timer for every call in flight. A `setTimeout` and an AbortController per call, as
 * cockatiel's `timeout()` uses, cost 11 µs a call; this costs one push and one flag. The timer runs
 * only while calls are in flight.
 */
export class DeadlineTimer {
  private readonly policies = new Set<DeadlinePolicy>();
  private timer: NodeJS.Timeout | null = null;

  watch(policy: DeadlinePolicy): void {
    this.policies.add(policy);
    this.timer ??= setInterval(this.tick, TICK_MS);
  }

  private readonly tick = (): void => {
    const now = performance.now();
    for (const policy of this.policies) {
      if (!policy.expireUntil(now)) this.policies.delete(policy);
    }
    if (this.policies.size > 0 || this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
  };
}

/**
 * Fails calls that take longer than `durationMs` with cockatiel's TaskCancelledError, and stops their work.
 * The other policies see the same error as from cockatiel's own `timeout()`.
 */
export class DeadlinePolicy {
  /** Calls in the order they began. Because all have the same duration, this is the order of their deadlines. */
  private inFlight: GuardedCall[] = [];
  private oldest = 0;

  constructor(
    readonly durationMs: number,
    private readonly timer: DeadlineTimer,
  ) {}

  /** Creates a call whose time starts now. */
  begin<T>(guard: Guard, origin: CallOrigin): GuardedCall<T> {
    const now = performance.now();
    return new GuardedCall<T>(now, now + this.durationMs, origin, guard);
  }

  /** Starts watching the deadline of a call that has begun. */
  hold(call: GuardedCall): void {
    this.forgetSettled();
    if (this.inFlight.length === 0) this.timer.watch(this);
    this.inFlight.push(call);
  }

  /** Settled calls that stay here survive garbage collections, with everything they refer to. */
  private forgetSettled(): void {
    const { inFlight } = this;
    let { oldest } = this;
    while (oldest < inFlight.length && inFlight[oldest]!.settled) oldest += 1;
    if (oldest === inFlight.length) inFlight.length = oldest = 0;
    else if (oldest >= FORGET_BATCH) {
      inFlight.splice(0, oldest);
      oldest = 0;
    }
    this.oldest = oldest;
  }

  /** Expires every call whose deadline has passed. Returns false when no call is in flight. */
  expireUntil(nowMs: number): boolean {
    const { inFlight } = this;
    const due: GuardedCall[] = [];
    let { oldest } = this;
    for (; oldest < inFlight.length; oldest += 1) {
      const call = inFlight[oldest]!;
      if (call.settled) continue;
      if (call.deadlineAtMs > nowMs) break;
      due.push(call);
    }
    this.inFlight = inFlight.slice(oldest);
    this.oldest = 0;
    // Last, because the listener of a failed call may begin another call.
    for (const call of due) this.expire(call);
    return this.inFlight.length > 0;
  }

  private expire(call: GuardedCall): void {
    const fail = (): void => call.failed(new TaskCancelledError(`no answer within ${this.durationMs} ms`));
    let stopped: boolean;
    try {
      stopped = call.stopAtDeadline();
    } catch (defect) {
      // The other overdue calls must still be stopped.
      call.failed(defect);
      return;
    }
    if (!stopped && !call.settled) {
      fail();
      return;
    }
    if (call.extendedMs > 0) {
      setTimeout(() => setImmediate(fail), call.extendedMs);
      return;
    }
    // While this loop was busy, the call may have run, waited or been answered. The worker knows, and gets
    // one turn of the event loop to settle the call.
    setImmediate(() => setImmediate(fail));
  }
}
