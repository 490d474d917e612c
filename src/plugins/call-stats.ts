/** How a version has done so far. */
export interface CallStats {
  /** Calls of hooks that ended, well or not. */
  readonly calls: number;
  /** Of these, those without a usable answer, or answered with a status of 500 or more. */
  readonly failed: number;
  /** Time all of them took together, waiting included. */
  readonly busyMs: number;
  /** Processes that failed. */
  readonly crashes: number;
}

/** What happened between two tallies. */
export function since(start: CallStats, now: CallStats): CallStats {
  return {
    calls: now.calls - start.calls,
    failed: now.failed - start.failed,
    busyMs: now.busyMs - start.busyMs,
    crashes: now.crashes - start.crashes,
  };
}
