import type { PauseReading } from '../runner/pause-meter.js';

/** A process is replaced after so many samples in a row in which it was busy without a call. */
export const BUSY_SAMPLES_MAX = 10;
/** With fewer milliseconds of pauses in a sample it is unknown what the process does in them. */
const PAUSED_MS_MIN = 4;
/** Traffic that leaves more than this leaves enough in the next sample, too. */
const PAUSED_MS_ENOUGH = 40;
/** A process that turned out to be calm is not asked for a pause for so many samples. */
const CALM_SAMPLES = 10;

/** What is to be done: 'hold' asks for a short pause, as traffic leaves none. */
export type IdleVerdict = 'nothing' | 'hold' | 'replace';

/**
 * Whether one process computes beyond its calls. What it uses in the pauses between them tells. It may use
 * `limits.idle_cpu`, and beside that as much as its calls do: a garbage collector, for example, goes on
 * after the call whose garbage it collects.
 */
export class IdleWatch {
  private busySamples = 0;
  private samplesToRest = 0;
  private threadMs: number | null = null;

  /** @param threadClock processor time in milliseconds of the one thread that runs calls; null when nobody knows */
  constructor(private readonly threadClock: () => number | null) {}

  /** @param percent of one core that is allowed; 0 for any amount */
  judge({ passedMs, usedMs, pausedMs, usedInPausesMs }: PauseReading, percent: number): IdleVerdict {
    const allowedMs = (percent / 100) * passedMs;
    if (usedMs <= allowedMs || percent === 0) return this.calm();
    this.samplesToRest -= 1;
    if (pausedMs < PAUSED_MS_MIN) {
      if (this.usedByOthers(usedMs) <= allowedMs) return this.calm();
      return this.samplesToRest > 0 ? 'nothing' : 'hold';
    }
    this.threadMs = null;
    const wasHeld = pausedMs < PAUSED_MS_ENOUGH;
    const backgroundMs = Math.min(usedMs, (usedInPausesMs / pausedMs) * passedMs);
    if (backgroundMs <= allowedMs + (usedMs - backgroundMs)) {
      if (wasHeld) this.samplesToRest = CALM_SAMPLES;
      return this.calm();
    }
    this.samplesToRest = 0;
    this.busySamples += 1;
    if (this.busySamples >= BUSY_SAMPLES_MAX) return 'replace';
    return wasHeld ? 'hold' : 'nothing';
  }

  private calm(): IdleVerdict {
    this.busySamples = 0;
    return 'nothing';
  }

  /** What threads used that run no calls. The first look at a busy process has nothing to compare with. */
  private usedByOthers(usedMs: number): number {
    const before = this.threadMs;
    this.threadMs = this.threadClock();
    if (this.threadMs === null) return usedMs;
    return before === null ? Infinity : usedMs - (this.threadMs - before);
  }
}
