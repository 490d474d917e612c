/** The request a call belongs to. */
export interface CallOrigin {
  /** Id of the HTTP request, for reports; null when the server itself makes the call. */
  readonly requestId: string | null;
  /** Names of the plugins whose calls led to this one, the first caller first. */
  readonly callers: readonly string[];
  /** Where the call is recorded; null when its request is not traced. */
  readonly trace: CallTrace | null;
}

/** Records the calls of plugins that a request leads to. */
export interface CallTrace {
  /**
   * A call has ended just now.
   * @param hook the function of the plugin, such as `before_request`
   * @param durationMs how long the call took, retries included
   * @param error null when the call succeeded
   */
  called(plugin: string, hook: string, durationMs: number, error: CallError | null): void;
}

/** The parts of a BackworksError that a trace records. */
export interface CallError {
  readonly code: string;
  readonly message: string;
}

export const NO_CALLERS: readonly string[] = [];

/** Why work must stop: the deadline has passed, or nobody waits for the answer. */
export type StopReason = 'deadline' | 'cancelled';

/**
 * The data that one call of a plugin function carries through the layers. Each call has its own ticket:
 *
 * 1. execution creates the ticket (a GuardedCall) with the deadline and the origin of the pipeline's request.
 * 2. native reads the deadline and the origin, and registers with onStop() how the work can be stopped.
 * 3. native calls report() when the plugin has answered, directly before it passes the answer on.
 * 4. execution uses the report: the plugin's own time for metrics, and `plain` to send the answer unchanged.
 *
 * No other code writes to the ticket.
 */
export interface CallTicket extends CallOrigin {
  /** `performance.now()` milliseconds after which the answer no longer matters; Infinity for never. */
  readonly deadlineAtMs: number;

  /**
   * Registers how to stop the work. A second call replaces the first handler. The handler is called at most once for
   * each reason, and never after the call has settled. Work that is cancelled before it begins ends with
   * BW_REQUEST_CANCELLED. Work that is stopped at its deadline may stay unsettled.
   */
  onStop(handler: (reason: StopReason) => void): void;

  /**
   * Called by the handler of onStop() at the deadline, when the plugin may have answered in time and the answer is
   * still on its way. The call then fails this much later, unless the answer comes. Absent if nobody waits.
   */
  extend?(milliseconds: number): void;

  /**
   * Reports facts about the call before its answer is passed on. Absent if nobody needs the report.
   * @param ownNs nanoseconds in the plugin's own function, at most 2^31 - 1; 0 if unknown. An isolated plugin can
   *   forge the number, so it is used for metrics only
   * @param plain whether the answer of an endpoint is sent unchanged: valid JSON, and not a response document
   */
  report?(ownNs: number, plain: boolean): void;
}
