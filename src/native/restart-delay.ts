const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 30_000;
/** A process that lived this long ends the series of failures. */
const STABLE_AFTER_MS = 30_000;

/** How long to wait before the next start: 100 ms, doubling with every failure up to 30 s. */
export class RestartDelay {
  private failures = 0;
  private nextStartAtMs = 0;

  /** Notes a failure of a process that had lived for `lifetimeMs`. */
  failed(lifetimeMs: number): void {
    this.failures = lifetimeMs >= STABLE_AFTER_MS ? 1 : this.failures + 1;
    const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (this.failures - 1), LONGEST_DELAY_MS);
    this.nextStartAtMs = performance.now() + delayMs;
  }

  /** Milliseconds until the next start is allowed; 0 for now. */
  remainingMs(): number {
    return Math.max(0, this.nextStartAtMs - performance.now());
  }
}
