import type { AnswerHandler } from './answer-handler.js';
import { HOOK_NUMBER } from '../protocol/protocol.js';
import type { RunningSlot, SharedPage } from '../protocol/shared-page.js';
import type { UnansweredCalls } from './unanswered-calls.js';

/** A call and where it runs. */
export interface RunningCall extends RunningSlot {
  readonly call: AnswerHandler;
}

/** What the calls of a runner are doing, as far as it says so in the shared page. */
export class RunningCalls {
  private readonly slotCount: number;

  constructor(
    private readonly unanswered: UnansweredCalls,
    private readonly shared: SharedPage,
    concurrency: number,
  ) {
    // The serving thread has one, too.
    this.slotCount = concurrency === 1 ? 1 : 1 + concurrency;
  }

  /** Calls without an answer yet. */
  get load(): number {
    return this.unanswered.size;
  }

  /** The call that has waited longest for its answer. */
  get oldest(): AnswerHandler | undefined {
    return this.unanswered.oldest;
  }

  /** The calls that run, the one that began first before the others; none when nobody knows. */
  get running(): RunningCall[] {
    if (!this.shared.isShared || this.load === 0) return [];
    return this.slots()
      .map((slot) => ({ ...slot, call: this.unanswered.find(slot.id) }))
      .filter((slot): slot is RunningCall => slot.call !== undefined)
      .sort((a, b) => b.runningForMs - a.runningForMs);
  }

  /**
   * Where a call stands: 'waiting' behind others, 'stalled' when nothing runs and the runner has not
   * begun the oldest call either, 'answered' when its answer is in or on its way.
   */
  stateOf(id: number): 'running' | 'waiting' | 'stalled' | 'answered' {
    const { oldest } = this.unanswered;
    if (oldest === undefined || this.unanswered.find(id) === undefined) return 'answered';
    if (!this.shared.isShared || this.slots().some((slot) => slot.id === id)) return 'running';
    const begun = this.shared.begun();
    if (!follows(id, begun)) return 'answered';
    return follows(oldest.id, begun) ? 'stalled' : 'waiting';
  }

  /** For how long a call has been running, in milliseconds. */
  runningForMs(id: number): number {
    if (!this.shared.isShared) return Infinity;
    return this.slots().find((slot) => slot.id === id)?.runningForMs ?? 0;
  }

  /** The system's number of the thread a call runs on; null when it does not run, or nobody knows. */
  threadOf(id: number): number | null {
    return this.running.find(({ call }) => call.id === id)?.thread ?? null;
  }

  /** The hook that asks the server something. @param id as the runner says, 0 when it does not */
  asking(id: number): AnswerHandler | null {
    const { running } = this;
    const found =
      running.find(({ call }) => call.id === id) ?? (running.length === 1 ? running[0] : undefined);
    return found !== undefined && found.call.phase in HOOK_NUMBER ? found.call : null;
  }

  /**
   * The call that is charged with the end of the process: the one it was ended for, the one whose thread
   * ended it, or the one that ran longest.
   * @param endedFor as the server knows; 0 for none
   */
  charged(endedFor: number): AnswerHandler | undefined {
    if (!this.shared.isShared) return this.unanswered.oldest;
    for (const id of [endedFor, this.shared.endedBy()]) {
      const call = this.unanswered.find(id);
      if (call !== undefined && this.hasBegun(id)) return call;
    }
    return this.running[0]?.call;
  }

  /** Whether a call may have been begun. @param newest the newest call that has */
  hasBegun(id: number, newest = this.shared.begun()): boolean {
    return !this.shared.isShared || !follows(id, newest);
  }

  private slots(): RunningSlot[] {
    return this.shared.running(this.slotCount);
  }
}

/** Whether id `a` was given out after id `b`; ids wrap around at 32 bits. */
function follows(a: number, b: number): boolean {
  return a !== b && (a - b) >>> 0 < 0x8000_0000;
}
