import type { HealthCheckConfig, TargetBreakerConfig } from '../config/proxy-types.js';

/**
 * up: gets requests. out: requests to it failed, and it is tried again after a while. down: it failed the checks that
 * the server makes.
 */
export type TargetState = 'up' | 'out' | 'down';

/** A change of a target's state, and why. */
export interface TargetChange {
  readonly from: TargetState;
  readonly to: TargetState;
  /** For a log line: what happened last. */
  readonly reason: string;
}

/**
 * What is known of a target: from the requests it got, by a circuit breaker, and from checks, if there are any. Checks
 * are the stronger evidence: a target that fails them gets nothing.
 */
export class TargetHealth {
  /** Why the target is not up; null when it is. */
  reason: string | null = null;
  /** When the target entered its state. */
  since = new Date();
  private failedInRow = 0;
  /** When a request may try the target again, by performance.now(); null while the circuit is closed. */
  private retryAtMs: number | null = null;
  /** Counts the times that the circuit opened. Requests that began before say nothing about the time after. */
  private openings = 0;
  private isTried = false;
  private isDown = false;
  private checksInRow = 0;

  constructor(
    private readonly breaker: TargetBreakerConfig,
    private readonly checks: HealthCheckConfig | null,
    private readonly changed: (change: TargetChange) => void,
  ) {}

  get state(): TargetState {
    if (this.isDown) return 'down';
    return this.retryAtMs === null ? 'up' : 'out';
  }

  /** Whether the target should get a request: it is up, or it is time to try it again. */
  get isAvailable(): boolean {
    if (this.isDown) return false;
    return this.retryAtMs === null || (!this.isTried && performance.now() >= this.retryAtMs);
  }

  /** A request is about to be sent. @returns what to give to passed() or failed() */
  begin(): number {
    if (this.retryAtMs !== null) this.isTried = true;
    return this.openings;
  }

  /** The target has answered a request. */
  passed(begun: number): void {
    if (begun !== this.openings) return;
    this.failedInRow = 0;
    if (this.retryAtMs !== null) this.change(() => (this.retryAtMs = null), 'it has answered a request');
  }

  /** The target has not answered a request. */
  failed(begun: number, reason: string): void {
    if (begun !== this.openings) return;
    this.failedInRow += 1;
    const isTrial = this.retryAtMs !== null;
    if (!isTrial && this.failedInRow < this.breaker.failures) return;
    this.change(
      () => {
        this.retryAtMs = performance.now() + this.breaker.resetAfterMs;
        this.openings += 1;
        this.isTried = false;
      },
      `${inRow(this.failedInRow, 'request')} failed; the last one: ${reason}`,
    );
  }

  /** A request ended without saying anything about the target. */
  abandoned(begun: number): void {
    if (begun === this.openings) this.isTried = false;
  }

  /** @param fault why the check failed; null when it passed */
  checked(fault: string | null): void {
    const { healthyAfter, unhealthyAfter } = this.checks!;
    const passed = fault === null;
    if (passed !== this.isDown) {
      this.checksInRow = 0;
      return;
    }
    this.checksInRow += 1;
    if (this.checksInRow < (passed ? healthyAfter : unhealthyAfter)) return;
    const count = inRow(this.checksInRow, 'check');
    this.checksInRow = 0;
    this.change(
      () => {
        this.isDown = !passed;
        // The requests that failed were sent to the target as it was before.
        if (passed) this.closeCircuit();
      },
      passed ? `${count} passed` : `${count} failed; the last one: ${fault}`,
    );
  }

  private closeCircuit(): void {
    this.retryAtMs = null;
    this.failedInRow = 0;
    this.openings += 1;
  }

  private change(act: () => void, reason: string): void {
    const from = this.state;
    act();
    const to = this.state;
    this.reason = to === 'up' ? null : reason;
    if (from === to) return;
    this.since = new Date();
    this.changed({ from, to, reason });
  }
}

function inRow(count: number, what: string): string {
  return count === 1 ? `one ${what}` : `${count} ${what}s in a row`;
}
