import type { RunnerConnection } from './runner-connection.js';

/**
 * A call that has run for less than this share of its limit when its deadline passes has waited for
 * the rest of the time, which is not its fault.
 */
const MIN_SHARE_OF_LIMIT = 0.5;
/** A runner that begins nothing for so long is not merely short of processor time. */
const STALLED_GRACE_MS = 1000;
/** After a pause of the whole machine, a runner has so much time to answer before its calls are judged. */
const LOOK_AGAIN_MS = 50;
const NO_CALL = { id: 0, phase: 'idle' } as const;

/** What the server knows of the process beside its calls. */
export interface OverdueProcess {
  /** The server has ended it: its calls are told when it is gone. */
  isEnding(): boolean;
  /** It may not have begun its oldest call because it gets no processor time. */
  isStarved(): boolean;
  /** Ends it. @param call the one to blame; 0 for none that the server knows */
  kill(call: number): void;
}

/**
 * Stops the calls of one process whose deadline has passed. One that has not begun is not begun. One that
 * runs ends the process when it has been running for as long as a call may: not before, since it may have
 * spent its time waiting behind others.
 *
 * The shared page says for how long a call has been running, and a plugin can make it say less. The
 * oldest call therefore counts as running for as long as it has been the oldest, unless the process gets
 * no processor time.
 */
export class OverdueCalls {
  /** Runs while nobody knows whether the process still answers. */
  private answerTimer: NodeJS.Timeout | null = null;

  constructor(
    private readonly connection: RunnerConnection,
    private readonly process: OverdueProcess,
  ) {}

  /**
   * @param limitMs longest time of a call
   * @param giveUp told when the process need not end for the call to end
   */
  expire(id: number, limitMs: number, giveUp: () => void): void {
    // Answers that lie in the pipe are read first: after a pause of the server itself, a call that
    // looks late may have been answered in time.
    setImmediate(() => {
      if (this.connection.isClosed) return;
      if (this.process.isEnding()) {
        this.leaveEndingProcess(id, giveUp);
        return;
      }
      const { calls } = this.connection;
      const shareMs = limitMs * MIN_SHARE_OF_LIMIT;
      const isDoubtful = calls.saysRunningForMs(id) < shareMs && calls.oldestForMs(id) >= shareMs;
      const decide = (): void => this.decide(id, limitMs, giveUp);
      if (isDoubtful) setTimeout(() => setImmediate(decide), LOOK_AGAIN_MS);
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
    if (this.hasTakenItsShare(id, limitMs)) {
      this.process.kill(id);
      return;
    }
    if (calls.isUnanswered(id) && calls.saysRunning(id)) this.killIfStillRunning(id, limitMs);
    else this.connection.cancel(id);
    this.killUnlessAnswering(Math.max(2 * limitMs, STALLED_GRACE_MS));
    giveUp();
  }

  /**
   * The call for which the process ends learns the reason when the process is gone. A call that waits behind
   * it has no part in that reason, and its time is up now.
   */
  private leaveEndingProcess(id: number, giveUp: () => void): void {
    const { calls } = this.connection;
    if (calls.oldest?.id === id || calls.saysRunning(id)) return;
    this.connection.cancel(id);
    giveUp();
  }

  private hasTakenItsShare(id: number, limitMs: number): boolean {
    const { calls } = this.connection;
    if (!calls.isUnanswered(id)) return false;
    const shareMs = limitMs * MIN_SHARE_OF_LIMIT;
    if (calls.saysRunningForMs(id) >= shareMs) return true;
    return calls.oldestForMs(id) >= shareMs && !this.process.isStarved();
  }

  /** Ends the process if a call that began late takes a whole limit of its own. */
  private killIfStillRunning(id: number, limitMs: number): void {
    const look = (): void => {
      if (this.connection.isClosed) return;
      // A batch may be in another of its hooks, which began later.
      if (this.hasTakenItsShare(id, limitMs)) this.process.kill(id);
    };
    setTimeout(() => setImmediate(look), limitMs).unref();
  }

  /** Ends the process if its oldest hook is not answered for `ms`. */
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
