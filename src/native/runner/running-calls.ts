import type { AnswerHandler } from './answer-handler.js';
import { HOOK_NUMBER } from '../protocol/protocol.js';
import type { RunningSlot, SharedPage } from '../protocol/shared-page.js';
import type { UnansweredCalls } from './unanswered-calls.js';

/** A call and where it runs. */
export interface RunningCall extends RunningSlot {
  readonly call: AnswerHandler;
}

/**
 * The state of a runner's calls, from two sources. The server itself knows which calls have no answer yet and
 * which of them is the oldest, on which the runner works. The shared page reports more, and sooner, but the
 * plugin can write to it. Limits are therefore enforced by what the server itself knows.
 */
export class RunningCalls {
  private readonly slotCount: number;
  private readonly isSerial: boolean;

  constructor(
    private readonly unanswered: UnansweredCalls,
    private readonly shared: SharedPage,
    concurrency: number,
  ) {
    this.isSerial = concurrency === 1;
    // The serving thread has a slot as well.
    this.slotCount = this.isSerial ? 1 : 1 + concurrency;
  }

  /** Calls without an answer yet. */
  get load(): number {
    return this.unanswered.size;
  }

  /** The call that has waited longest for its answer. */
  get oldest(): AnswerHandler | undefined {
    return this.unanswered.oldest;
  }

  /** The calls that run according to the page, the longest running first. */
  get running(): RunningCall[] {
    if (!this.shared.isShared || this.load === 0) return [];
    return this.slots()
      .map((slot) => ({ ...slot, call: this.unanswered.find(slot.id) }))
      .filter((slot): slot is RunningCall => slot.call !== undefined)
      .sort((a, b) => b.runningForMs - a.runningForMs);
  }

  /** Whether the call has no answer yet. */
  isUnanswered(id: number): boolean {
    return this.unanswered.find(id) !== undefined;
  }

  /**
   * Whether the process has begun a later call although this one has no answer, according to the page. The answer
   * then waits in the process for the next write. Only for processes that run one call at a time.
   */
  isPassed(id: number): boolean {
    if (!this.isSerial || !this.shared.isShared || !this.isUnanswered(id)) return false;
    return follows(this.shared.begun(), id);
  }

  /** Whether the call runs, according to the page. */
  isReportedRunning(id: number): boolean {
    return !this.shared.isShared || this.slots().some((slot) => slot.id === id);
  }

  /** How long a call has been running according to the page, in milliseconds. */
  reportedRunningMs(id: number): number {
    if (!this.shared.isShared) return Infinity;
    return this.slots().find((slot) => slot.id === id)?.runningForMs ?? 0;
  }

  /** How long this call has been the oldest, in milliseconds; 0 if another call is. */
  oldestForMs(id: number): number {
    const { oldest, oldestSinceMs } = this.unanswered;
    return oldest?.id === id ? performance.now() - oldestSinceMs : 0;
  }

  /** Id of the thread that runs a call; null for the process's first thread, or if unknown. */
  threadOf(id: number): number | null {
    if (this.isSerial) return null;
    return this.running.find(({ call }) => call.id === id)?.thread ?? null;
  }

  /** The hook that sent a request to the server, or null. @param id as the runner reported it; 0 if it did not */
  requester(id: number): AnswerHandler | null {
    const found = this.runningOf(id);
    return found !== null && found.phase in HOOK_NUMBER ? found : null;
  }

  /** As requester(), also for functions that are no hooks, such as initialize(). */
  runningOf(id: number): AnswerHandler | null {
    const { running } = this;
    const found =
      running.find(({ call }) => call.id === id) ?? (running.length === 1 ? running[0] : undefined);
    return found?.call ?? null;
  }

  /**
   * The call that is charged with the end of the process. If the process runs one call at a time, it is the
   * oldest call, unless the process ended by itself before it began that call. Otherwise it is the call for
   * which the server killed the process, the call whose thread ended it, or the call that ran longest.
   * @param killedFor the call for which the server killed the process; 0 for none
   */
  charged(killedFor: number): AnswerHandler | undefined {
    const { oldest } = this.unanswered;
    if (!this.shared.isShared || oldest === undefined) return oldest;
    const overLimit = this.unanswered.find(killedFor);
    if (this.isSerial) return overLimit !== undefined || this.hasBegun(oldest.id) ? oldest : undefined;
    if (overLimit !== undefined) return overLimit;
    const crashed = this.unanswered.find(this.shared.endedBy());
    return crashed !== undefined && this.hasBegun(crashed.id) ? crashed : this.running[0]?.call;
  }

  /** Whether a call may have begun. @param newest id of the newest call that has begun */
  hasBegun(id: number, newest = this.shared.begun()): boolean {
    return !this.shared.isShared || !follows(id, newest);
  }

  private slots(): RunningSlot[] {
    return this.shared.running(this.slotCount);
  }
}

/** Whether id `a` was assigned after id `b`; ids wrap around at 32 bits. */
export function follows(a: number, b: number): boolean {
  return a !== b && (a - b) >>> 0 < 0x8000_0000;
}
