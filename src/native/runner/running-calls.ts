import type { AnswerHandler } from './answer-handler.js';
import { HOOK_NUMBER } from '../protocol/protocol.js';
import type { RunningSlot, SharedPage } from '../protocol/shared-page.js';
import type { UnansweredCalls } from './unanswered-calls.js';

/** A call and where it runs. */
export interface RunningCall extends RunningSlot {
  readonly call: AnswerHandler;
}

/**
 * What the calls of a runner are doing. Two sources say so. The server itself knows which calls have no
 * answer yet and which of them is the oldest: a runner works on that one. The shared page says more, and
 * sooner, but the plugin can write to it; limits are enforced by what the server knows.
 */
export class RunningCalls {
  private readonly slotCount: number;
  private readonly takesTurns: boolean;

  constructor(
    private readonly unanswered: UnansweredCalls,
    private readonly shared: SharedPage,
    concurrency: number,
  ) {
    this.takesTurns = concurrency === 1;
    // The serving thread has one, too.
    this.slotCount = this.takesTurns ? 1 : 1 + concurrency;
  }

  /** Calls without an answer yet. */
  get load(): number {
    return this.unanswered.size;
  }

  /** The call that has waited longest for its answer. */
  get oldest(): AnswerHandler | undefined {
    return this.unanswered.oldest;
  }

  /** The calls that run as the page says, the one that began first before the others. */
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

  /** Whether the call runs, as the page says. */
  saysRunning(id: number): boolean {
    return !this.shared.isShared || this.slots().some((slot) => slot.id === id);
  }

  /** For how long a call has been running as the page says, in milliseconds. */
  saysRunningForMs(id: number): number {
    if (!this.shared.isShared) return Infinity;
    return this.slots().find((slot) => slot.id === id)?.runningForMs ?? 0;
  }

  /** For how long the runner has had nothing to do before this call, in milliseconds; 0 unless it is the oldest. */
  oldestForMs(id: number): number {
    const { oldest, oldestSinceMs } = this.unanswered;
    return oldest?.id === id ? performance.now() - oldestSinceMs : 0;
  }

  /** The system's number of the thread a call runs on; null for the process's first, or when nobody knows. */
  threadOf(id: number): number | null {
    if (this.takesTurns) return null;
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
   * The call that is charged with the end of the process. Where calls take turns it is the oldest, unless
   * the process ended by itself before it began that call. Otherwise it is the one the process was ended
   * for, the one whose thread ended it, or the one that ran longest.
   * @param endedFor the server's own judgement; 0 for none
   */
  charged(endedFor: number): AnswerHandler | undefined {
    const { oldest } = this.unanswered;
    if (!this.shared.isShared || oldest === undefined) return oldest;
    const judged = this.unanswered.find(endedFor);
    if (this.takesTurns) return judged !== undefined || this.hasBegun(oldest.id) ? oldest : undefined;
    if (judged !== undefined) return judged;
    const blamed = this.unanswered.find(this.shared.endedBy());
    return blamed !== undefined && this.hasBegun(blamed.id) ? blamed : this.running[0]?.call;
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
export function follows(a: number, b: number): boolean {
  return a !== b && (a - b) >>> 0 < 0x8000_0000;
}
