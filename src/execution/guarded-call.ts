import { Deferred, type Listener } from '../deferred.js';

const NOBODY: readonly string[] = [];

/** Whoever guards calls: hears how each of them ended, once, and gives the caller its answer. */
export interface Guard {
  /** Whether a call of its may be taken back. */
  readonly cancellable: boolean;
  answered(call: GuardedCall, reply: unknown): void;
  failed(call: GuardedCall, error: unknown): void;
}

/**
 * One call under its guards: it listens to the work, and is the answer its caller waits for. The one who
 * does the work sets `stop`, which is invoked when the deadline passes or the caller goes away, at most
 * once for each; unless the work is settled otherwise, a deadline then fails it.
 */
export class GuardedCall<T = unknown> extends Deferred<T> implements Listener<unknown> {
  stop: ((reason: 'deadline' | 'cancelled') => void) | null = null;
  /** The request the call belongs to, for reports. */
  requestId: string | null = null;
  /** Plugins whose calls led to it. */
  callers: readonly string[] = NOBODY;
  /** Nanoseconds the plugin says its function took; 0 when nobody knows. */
  ownNs = 0;
  settled = false;
  /** Set by the one who does the work, before an endpoint's answer that goes out as it is. */
  plain = false;

  constructor(
    readonly startedAtMs: number,
    readonly deadlineAtMs: number,
    private readonly guard: Guard,
  ) {
    super();
  }

  answered(reply: unknown): void {
    if (this.settle()) this.guard.answered(this, reply);
  }

  failed(error: unknown): void {
    if (this.settle()) this.guard.failed(this, error);
  }

  /** Nobody wants the answer any more: the work is not begun if it has not been. */
  cancel(): void {
    if (this.guard.cancellable) this.stop?.('cancelled');
  }

  private settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.stop = null;
    return true;
  }
}
