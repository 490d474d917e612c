/** Statistics of one version of a plugin. */
export interface CallStats {
  /** Finished hook calls, successful or not. */
  readonly calls: number;
  /** Calls without a usable answer or with a status of 500 or more. */
  readonly failed: number;
  /** Total duration of all calls, including waiting. */
  readonly busyMs: number;
  /** Processes that failed. */
  readonly crashes: number;
}

/** The difference between two statistics. */
export function since(start: CallStats, now: CallStats): CallStats {
  return {
    calls: now.calls - start.calls,
    failed: now.failed - start.failed,
    busyMs: now.busyMs - start.busyMs,
    crashes: now.crashes - start.crashes,
  };
}
