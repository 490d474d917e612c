/** After a lifetime this long, a failure starts a new series. */
const STABLE_AFTER_MS = 30_000;

/** Delay before the next start (exponential backoff): it doubles with every failure, up to a maximum. */
export class RestartDelay {
  private failures = 0;
  private nextStartAtMs = 0;

  /** @param bounds called at every failure */
  constructor(private readonly bounds: () => { readonly delayMs: number; readonly maxDelayMs: number }) {}

  /** Records the failure of a process that ran for `lifetimeMs`. */
  failed(lifetimeMs: number): void {
    this.failures = lifetimeMs >= STABLE_AFTER_MS ? 1 : this.failures + 1;
    const { delayMs, maxDelayMs } = this.bounds();
    this.nextStartAtMs = performance.now() + Math.min(delayMs * 2 ** (this.failures - 1), maxDelayMs);
  }

  /** How many processes have failed consecutively, each soon after its start. */
  get consecutiveFailures(): number {
    return this.failures;
  }

  /** Milliseconds until the next start is allowed; 0 for now. */
  remainingMs(): number {
    return Math.max(0, this.nextStartAtMs - performance.now());
  }
}
