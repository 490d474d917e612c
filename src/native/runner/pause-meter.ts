/** A shorter pause says little: a runner still has work to do after it has answered. */
const PAUSE_MS_MIN = 1;
/** After this much of pauses, or so many of them, it measures no more until it is read. */
const MEASURED_MS = 50;
const PAUSES_MAX = 200;

/** What a process used since the meter was read last. */
export interface PauseReading {
  readonly passedMs: number;
  /** Processor time in all. */
  readonly usedMs: number;
  /** How long the pauses were that were measured, and the processor time used in them. */
  readonly pausedMs: number;
  readonly usedInPausesMs: number;
}

interface Moment {
  readonly atMs: number;
  readonly cpuMs: number;
}

/**
 * Measures the processor time that a process uses while none of its calls waits for an answer, also in the
 * short pauses between the calls of steady traffic. The server knows by itself when those are, and the
 * kernel keeps the clock, so that nothing a plugin writes has a say.
 */
export class PauseMeter {
  private pausedMs = 0;
  private usedMs = 0;
  private pauses = 0;
  private paused = false;
  private start: Moment | null = null;
  private readAt: Moment | null = null;

  /** @param clock processor time of the process in milliseconds; null when nobody knows */
  constructor(private readonly clock: () => number | null) {}

  /** No call waits for an answer any more. */
  begin(): void {
    this.paused = true;
    if (this.pausedMs >= MEASURED_MS || this.pauses >= PAUSES_MAX) return;
    this.pauses += 1;
    this.start = this.now();
  }

  /** The next pause is measured, however many there were before it. */
  measureNext(): void {
    this.pauses = 0;
  }

  /** A call is sent. */
  end(): void {
    this.paused = false;
    this.count(this.start === null ? null : this.now());
  }

  /** Reads the meter, and sets it back. Null the first time, and when nobody knows. */
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
