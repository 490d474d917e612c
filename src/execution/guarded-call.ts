import type { CallOrigin, CallTicket, CallTrace, StopReason } from '../call-ticket.js';
import { Deferred, type Listener } from '../deferred.js';

/** Receives the outcome of each call once, and passes the answer to the caller. */
export interface Guard {
  /** Whether a call can be cancelled before it begins. */
  readonly cancellable: boolean;
  answered(call: GuardedCall, reply: unknown): void;
  failed(call: GuardedCall, error: unknown): void;
}

/**
 * One guarded call: the ticket for the work, the listener of the work, and the answer for the caller. An exception of
 * the guard fails the call, so that no caller waits for ever.
 */
export class GuardedCall<T = unknown> extends Deferred<T> implements CallTicket, Listener<unknown> {
  readonly requestId: string | null;
  readonly callers: readonly string[];
  readonly trace: CallTrace | null;
  settled = false;
  /** How long the call waits for an answer after its deadline; see CallTicket.extend(). */
  extendedMs = 0;
  private reportedNs = 0;
  private reportedPlain = false;
  private stopWork: ((reason: StopReason) => void) | null = null;

  constructor(
    readonly startedAtMs: number,
    readonly deadlineAtMs: number,
    origin: CallOrigin,
    private readonly guard: Guard,
  ) {
    super();
    this.requestId = origin.requestId;
    this.callers = origin.callers;
    this.trace = origin.trace;
  }

  /** Nanoseconds the plugin says its function took; 0 when unknown. */
  get ownNs(): number {
    return this.reportedNs;
  }

  /** Whether the answer of an endpoint is sent unchanged. */
  get plain(): boolean {
    return this.reportedPlain;
  }

  onStop(handler: (reason: StopReason) => void): void {
    this.stopWork = handler;
  }

  extend(milliseconds: number): void {
    this.extendedMs = milliseconds;
  }

  report(ownNs: number, plain: boolean): void {
    this.reportedNs = ownNs > 0 ? ownNs : 0;
    this.reportedPlain = plain;
  }

  answered(reply: unknown): void {
    if (!this.settle()) return;
    try {
      this.guard.answered(this, reply);
    } catch (defect) {
      this.reject(defect);
    }
  }

  failed(error: unknown): void {
    if (!this.settle()) return;
    try {
      this.guard.failed(this, error);
    } catch (defect) {
      this.reject(defect);
    }
  }

  /** Cancels the call because its answer is no longer needed. Work that has not begun is dropped. */
  cancel(): void {
    if (this.guard.cancellable) this.stopWork?.('cancelled');
  }

  /** Stops the work at its deadline. @returns false when the work cannot be stopped */
  stopAtDeadline(): boolean {
    this.stopWork?.('deadline');
    return this.stopWork !== null;
  }

  private settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.stopWork = null;
    return true;
  }
}
