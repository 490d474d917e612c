/** How many requests a key has left. */
export interface Quota {
  /** Negative when the request exceeds the limit. */
  readonly remaining: number;
  /** Time until all requests are allowed again. */
  readonly resetMs: number;
}

interface Window {
  count: number;
  endsAtMs: number;
}

/**
 * Counts requests by key in windows of a fixed length; the window of a key begins with its first request. Memory is
 * bounded: when there are too many keys, those whose windows began first are forgotten.
 */
export class LocalCounter {
  /** In the order in which the windows began, so that the first ones end first. */
  private readonly windows = new Map<string, Window>();

  constructor(
    private readonly requests: number,
    private readonly windowMs: number,
    private readonly keysMax = 100_000,
  ) {}

  /** Counts one request. @param nowMs from a monotonic clock */
  count(key: string, nowMs = performance.now()): Quota {
    let window = this.windows.get(key);
    if (window === undefined || window.endsAtMs <= nowMs) {
      if (window !== undefined) this.windows.delete(key);
      this.forgetEnded(nowMs);
      window = { count: 0, endsAtMs: nowMs + this.windowMs };
      this.windows.set(key, window);
    }
    window.count += 1;
    return { remaining: this.requests - window.count, resetMs: window.endsAtMs - nowMs };
  }

  /** @internal exported for its test */
  get size(): number {
    return this.windows.size;
  }

  /** Forgets up to two windows that have ended, so that ended windows do not add up; or the first one when all are in use. */
  private forgetEnded(nowMs: number): void {
    for (let i = 0; i < 2; i++) {
      const first = this.windows.entries().next().value;
      if (first === undefined) return;
      const isOver = first[1].endsAtMs <= nowMs;
      if (!isOver && this.windows.size < this.keysMax) return;
      this.windows.delete(first[0]);
    }
  }
}
