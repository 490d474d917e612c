/** A process that lived this long ends the series of failures. */
const STABLE_AFTER_MS = 30_000;

/** How long to wait before the next start: a first delay that doubles with every failure, up to a bound. */
export class RestartDelay {
  private failures = 0;
  private nextStartAtMs = 0;

  constructor(
    private readonly delayMs: number,
    private readonly maxDelayMs: number,
  ) {}

  /** Notes a failure of a process that had lived for `lifetimeMs`. */
  failed(lifetimeMs: number): void {
    this.failures = lifetimeMs >= STABLE_AFTER_MS ? 1 : this.failures + 1;
    const delayMs = Math.min(this.delayMs * 2 ** (this.failures - 1), this.maxDelayMs);
    this.nextStartAtMs = performance.now() + delayMs;
  }

  /** Milliseconds until the next start is allowed; 0 for now. */
  remainingMs(): number {
    return Math.max(0, this.nextStartAtMs - performance.now());
  }
}
