import type { Readable } from 'node:stream';

const WINDOW_MS = 1000;
/** Pause between two reads of a stream that is over its budget. Meanwhile the pipe may fill up. */
const PAUSE_MS = 5;

/**
 * Limits how often the server reads a stream that a plugin fills. A read costs the server more than the write costs
 * the plugin, so a plugin that writes byte by byte, or without a pause, would keep a core of the server busy. Beyond
 * the budget, the stream is paused between reads: the pipe fills up, and the plugin has to wait (back-pressure).
 */
export class ReadPace {
  private reads = 0;
  private windowStartMs = -Infinity;
  private paused = false;
  private released = false;

  /** @param readsPerSecond budget: this many reads are made without a pause */
  constructor(
    private readonly stream: Pick<Readable, 'pause' | 'resume'>,
    private readonly readsPerSecond: number,
  ) {}

  /** Counts a read. */
  count(): void {
    const nowMs = performance.now();
    if (nowMs - this.windowStartMs >= WINDOW_MS) {
      this.windowStartMs = nowMs;
      this.reads = 0;
    }
    this.reads += 1;
    if (this.reads > this.readsPerSecond) this.pause();
  }

  /** Pauses the stream for PAUSE_MS. */
  pause(): void {
    if (this.released || this.paused) return;
    this.paused = true;
    this.stream.pause();
    setTimeout(() => {
      if (this.paused) this.resume();
    }, PAUSE_MS);
  }

  /**
   * Reads the rest without pauses, because the process has ended.
   * @returns whether output may be left
   */
  release(): boolean {
    this.released = true;
    if (!this.paused) return false;
    this.resume();
    return true;
  }

  private resume(): void {
    this.paused = false;
    this.stream.resume();
  }
}
