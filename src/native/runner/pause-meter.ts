/** Shorter pauses are ignored: a runner still works for a moment after its answer. */
const PAUSE_MS_MIN = 1;
/** After this much pause time, or this many pauses, measuring stops until the next read(). */
const MEASURED_MS = 50;
const PAUSES_MAX = 200;

/** What a process used since the previous read(). */
export interface PauseReading {
  readonly passedMs: number;
  /** Processor time in total. */
  readonly usedMs: number;
  /** Total length of the measured pauses, and the processor time used in them. */
  readonly pausedMs: number;
  readonly usedInPausesMs: number;
}

interface Moment {
  readonly atMs: number;
  readonly cpuMs: number;
}

/**
 * Measures the processor time that a process uses while no call is in flight, including the short pauses
 * between calls under steady traffic. The server itself knows the pauses and the kernel keeps the clock, so
 * a plugin cannot influence the result.
 */
export class PauseMeter {
  private pausedMs = 0;
  private usedMs = 0;
  private pauses = 0;
  private paused = false;
  private start: Moment | null = null;
  private readAt: Moment | null = null;

  /** @param clock processor time of the process in milliseconds; null if unknown */
  constructor(private readonly clock: () => number | null) {}

  /** Starts a pause: the last call in flight was answered. */
  begin(): void {
    this.paused = true;
    if (this.pausedMs >= MEASURED_MS || this.pauses >= PAUSES_MAX) return;
    this.pauses += 1;
    this.start = this.now();
  }

  /** Makes sure that the next pause is measured. */
  measureNext(): void {
    this.pauses = 0;
  }

  /** Ends a pause: a call is sent. */
  end(): void {
    this.paused = false;
    this.count(this.start === null ? null : this.now());
  }

  /** The usage since the previous read(); resets the meter. Null at the first read() or if unknown. */
  read(): PauseReading | null {
    const now = this.now();
    this.count(now);
    const { readAt, pausedMs, usedMs } = this;
    this.readAt = now;
    this.pausedMs = this.usedMs = this.pauses = 0;
    if (this.paused) this.start = now;
    if (readAt === null || now === null) return null;
    return {
      passedMs: now.atMs - readAt.atMs,
      usedMs: now.cpuMs - readAt.cpuMs,
      pausedMs,
      usedInPausesMs: usedMs,
    };
  }

  private count(now: Moment | null): void {
    const { start } = this;
    this.start = null;
    if (start === null || now === null || now.atMs - start.atMs < PAUSE_MS_MIN) return;
    this.pausedMs += now.atMs - start.atMs;
    this.usedMs += now.cpuMs - start.cpuMs;
  }

  private now(): Moment | null {
    const cpuMs = this.clock();
    return cpuMs === null ? null : { atMs: performance.now(), cpuMs };
  }
}
