import type { RunnerConnection } from './runner-connection.js';

/**
 * A call that has run for less than this share of its limit at its deadline spent the rest of the time
 * waiting, which is not its fault.
 */
const MIN_SHARE_OF_LIMIT = 0.5;
/** A runner that begins no call for this long does not merely lack processor time. */
const STALLED_GRACE_MS = 1000;
/** After a pause of the whole machine, a runner gets this much time to answer before its calls are judged. */
const RECHECK_MS = 50;
const NO_CALL = { id: 0, phase: 'idle' } as const;

/** The process of the calls. */
export interface OverdueProcess {
  /** The server has killed the process. Its calls fail when it has ended. */
  isEnding(): boolean;
  /** The process gets no processor time, so it may not have begun its oldest call. */
  isStarved(): boolean;
  /** @param call the call to charge; 0 if unknown */
  kill(call: number): void;
}

/**
 * Stops the calls of one process whose deadline has passed. A call that has not begun is cancelled. For a
 * call that runs, the process is killed, but only after the call has run for its share of the limit: it may
 * have spent the time before waiting behind other calls.
 *
 * The shared page says how long a call has been running, but the plugin can forge a lower number. The oldest
 * call therefore counts as running since it became the oldest, unless the process gets no processor time.
 */
export class OverdueCalls {
  /** Runs while it is unknown whether the process still answers. */
  private answerTimer: NodeJS.Timeout | null = null;

  constructor(
    private readonly connection: RunnerConnection,
    private readonly process: OverdueProcess,
  ) {}

  /**
   * @param limitMs longest time of a call
   * @param giveUp called when the call ends without the end of its process
   */
  expire(id: number, limitMs: number, giveUp: () => void): void {
    // The answers in the pipe are read first: after a pause of the server itself, a call that looks late
    // may have been answered in time.
    setImmediate(() => {
      if (this.connection.isClosed) return;
      if (this.process.isEnding()) {
        this.leaveEndingProcess(id, giveUp);
        return;
      }
      const { calls } = this.connection;
      const shareMs = limitMs * MIN_SHARE_OF_LIMIT;
      const isDoubtful = calls.reportedRunningMs(id) < shareMs && calls.oldestForMs(id) >= shareMs;
      const decide = (): void => this.decide(id, limitMs, giveUp);
      if (isDoubtful) setTimeout(() => setImmediate(decide), RECHECK_MS);
      else decide();
    });
  }

  private decide(id: number, limitMs: number, giveUp: () => void): void {
    if (this.connection.isClosed) return;
    if (this.process.isEnding()) {
      this.leaveEndingProcess(id, giveUp);
      return;
    }
    const { calls } = this.connection;
    if (this.hasUsedItsShare(id, limitMs)) {
      this.process.kill(id);
      return;
    }
    this.killUnlessAnswering(Math.max(2 * limitMs, STALLED_GRACE_MS));
    // It has run. Its answer leaves the process with the next write, or when the process has ended.
    if (calls.isPassed(id)) return;
    if (calls.isUnanswered(id) && calls.isReportedRunning(id)) this.killIfStillRunning(id, limitMs);
    else this.connection.cancel(id);
    giveUp();
  }

  /**
   * The call for which the process is killed fails when the process has ended. A call that waits behind it did
   * not cause the end, and fails now. A call before it may have an answer that is read then.
   */
  private leaveEndingProcess(id: number, giveUp: () => void): void {
    const { calls } = this.connection;
    if (calls.oldest?.id === id || calls.isReportedRunning(id) || calls.isPassed(id)) return;
    this.connection.cancel(id);
    giveUp();
  }

  private hasUsedItsShare(id: number, limitMs: number): boolean {
    const { calls } = this.connection;
    if (!calls.isUnanswered(id)) return false;
    const shareMs = limitMs * MIN_SHARE_OF_LIMIT;
    if (calls.reportedRunningMs(id) >= shareMs) return true;
    return calls.oldestForMs(id) >= shareMs && !this.process.isStarved();
  }

  /** Kills the process if a call that began late runs for another `limitMs`. */
  private killIfStillRunning(id: number, limitMs: number): void {
    const check = (): void => {
      if (this.connection.isClosed) return;
      // A batch may have reached a hook that began later.
      if (this.hasUsedItsShare(id, limitMs)) this.process.kill(id);
    };
    setTimeout(() => setImmediate(check), limitMs).unref();
  }

  /** Kills the process if its oldest hook is not answered within `ms`. */
  private killUnlessAnswering(ms: number): void {
    if (this.answerTimer !== null) return;
    const { id, phase } = this.connection.calls.oldest ?? NO_CALL;
    this.answerTimer = setTimeout(() => {
      this.answerTimer = null;
      const { oldest } = this.connection.calls;
      // A call that has not begun moves to another process.
      if (oldest?.id === id && oldest.phase === phase) this.process.kill(0);
    }, ms).unref();
  }
}
