/** The request a call belongs to. */
export interface CallOrigin {
  /** Id of the HTTP request, for reports; null when the server itself makes the call. */
  readonly requestId: string | null;
  /** Names of the plugins whose calls led to this one, the first caller first. */
  readonly callers: readonly string[];
}

export const NO_CALLERS: readonly string[] = [];

/** Why work is to stop: its time is up, or nobody waits for the answer any more. */
export type StopReason = 'deadline' | 'cancelled';

/**
 * What one call of a plugin function carries through the layers. There is one ticket for each call:
 *
 * 1. execution makes it (as a GuardedCall), with the deadline and with the origin the pipeline's request gave.
 * 2. native reads the deadline and the origin, and registers with onStop() how the work can be stopped.
 * 3. native calls report() when the plugin has answered, directly before it hands the answer over.
 * 4. execution reads what was reported: the own time for metrics, `plain` to send the answer as it is.
 *
 * Nobody else writes to it.
 */
export interface CallTicket extends CallOrigin {
  /** `performance.now()` milliseconds after which the answer no longer matters; Infinity for never. */
  readonly deadlineAtMs: number;

  /**
   * Registers how to stop the work; a second call replaces the first handler. The handler is called at most
   * once for each reason, and never after the call was settled. Cancelled work that had not begun ends with
   * BW_REQUEST_CANCELLED; work past its deadline may stay unsettled.
   */
  onStop(handler: (reason: StopReason) => void): void;

  /**
   * Says how the call went, before its answer is handed over. Absent when nobody wants to know.
   * @param ownNs nanoseconds the plugin's own function took, at most 2^31 - 1; 0 when unknown. An isolated
   *   plugin can forge the number: it is for reports only
   * @param plain whether the answer of an endpoint goes out as it is: valid JSON, and no response document
   */
  report?(ownNs: number, plain: boolean): void;
}
