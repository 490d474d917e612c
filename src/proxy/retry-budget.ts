/** Repetitions a second that are allowed however few requests there are. */
const RESERVE_PER_SECOND = 10;
const RESERVE_MAX = 100;
/** Repetitions that requests can save up. */
const SAVED_MAX = 1000;

/**
 * Limits the repetitions of requests to a share of the requests. Without a limit, a target that fails under load gets
 * more load because it fails.
 */
export class RetryBudget {
  private readonly share: number;
  private saved = 0;
  private reserve = RESERVE_MAX;
  private filledAtMs = performance.now();

  /** @param percent 0 allows no repetitions at all */
  constructor(percent: number) {
    this.share = percent / 100;
  }

  /** Call for each request. */
  deposit(): void {
    if (this.saved < SAVED_MAX) this.saved += this.share;
  }

  /** Takes one repetition. @returns false when there is none */
  withdraw(): boolean {
    if (this.share === 0) return false;
    if (this.saved >= 1) {
      this.saved -= 1;
      return true;
    }
    const nowMs = performance.now();
    const earned = ((nowMs - this.filledAtMs) / 1000) * RESERVE_PER_SECOND;
    this.reserve = Math.min(RESERVE_MAX, this.reserve + earned);
    this.filledAtMs = nowMs;
    if (this.reserve < 1) return false;
    this.reserve -= 1;
    return true;
  }
}
