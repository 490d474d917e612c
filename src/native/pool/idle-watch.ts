import type { PauseReading } from '../runner/pause-meter.js';

/** A process is replaced after this many consecutive samples in which it was busy without a call. */
export const BUSY_SAMPLES_MAX = 10;
/** A sample with less pause time than this does not show what the process does in its pauses. */
const PAUSED_MS_MIN = 4;
/** Traffic that leaves more pause time than this leaves enough in the next sample as well. */
const PAUSED_MS_ENOUGH = 40;
/** A process that was found calm is not held again for this many samples. */
const CALM_SAMPLES = 10;

/** What the caller must do: 'hold' withholds calls for a moment, because traffic leaves no pauses. */
export type IdleVerdict = 'nothing' | 'hold' | 'replace';

/**
 * Detects a process that computes outside its calls, by the processor time it uses in the pauses between
 * calls. It may use `limits.idle_cpu`, plus as much as its calls use: a garbage collector, for example, still
 * runs after the call whose garbage it collects.
 */
export class IdleWatch {
  private busySamples = 0;
  private samplesUntilHold = 0;
  private threadMs: number | null = null;

  /** @param threadClock processor time in milliseconds of the only thread that runs calls; null if unknown */
  constructor(private readonly threadClock: () => number | null) {}

  /** @param percent of one core that is allowed; 0 for any amount */
  judge({ passedMs, usedMs, pausedMs, usedInPausesMs }: PauseReading, percent: number): IdleVerdict {
    const allowedMs = (percent / 100) * passedMs;
    if (usedMs <= allowedMs || percent === 0) return this.calm();
    this.samplesUntilHold -= 1;
    if (pausedMs < PAUSED_MS_MIN) {
      if (this.usedByOthers(usedMs) <= allowedMs) return this.calm();
      return this.samplesUntilHold > 0 ? 'nothing' : 'hold';
    }
    this.threadMs = null;
    const wasHeld = pausedMs < PAUSED_MS_ENOUGH;
    const backgroundMs = Math.min(usedMs, (usedInPausesMs / pausedMs) * passedMs);
    if (backgroundMs <= allowedMs + (usedMs - backgroundMs)) {
      if (wasHeld) this.samplesUntilHold = CALM_SAMPLES;
      return this.calm();
    }
    this.samplesUntilHold = 0;
    this.busySamples += 1;
    if (this.busySamples >= BUSY_SAMPLES_MAX) return 'replace';
    return wasHeld ? 'hold' : 'nothing';
  }

  private calm(): IdleVerdict {
    this.busySamples = 0;
    return 'nothing';
  }

  /** Time of the threads that run no calls. The first sample of a busy process has nothing to compare with. */
  private usedByOthers(usedMs: number): number {
    const before = this.threadMs;
    this.threadMs = this.threadClock();
    if (this.threadMs === null) return usedMs;
    return before === null ? Infinity : usedMs - (this.threadMs - before);
  }
}
