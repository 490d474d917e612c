import type { Readable } from 'node:stream';

const WINDOW_MS = 1000;
/** The pause between two reads of a stream beyond its budget. Meanwhile the pipe may fill up. */
const PAUSE_MS = 5;

/**
 * How often the server reads a stream that a plugin fills. A read costs the server more than the write costs the
 * plugin, so a plugin that writes byte by byte, or without a pause, would take a core of the server. Beyond the
 * budget the stream is paused between two reads: the pipe fills up, and the plugin has to wait.
 */
export class ReadPace {
  private reads = 0;
  private windowStartMs = -Infinity;
  private resting = false;
  private released = false;

  /** @param readsPerSecond so many reads are made without a pause */
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
    if (this.reads > this.readsPerSecond) this.rest();
  }

  /** Pauses the stream for PAUSE_MS. */
  rest(): void {
    if (this.released || this.resting) return;
    this.resting = true;
    this.stream.pause();
    setTimeout(() => {
      if (this.resting) this.goOn();
    }, PAUSE_MS);
  }

  /**
   * Reads the rest without pauses, because the process has ended.
   * @returns whether output may be left
   */
  release(): boolean {
    this.released = true;
    if (!this.resting) return false;
    this.goOn();
    return true;
  }

  private goOn(): void {
    this.resting = false;
    this.stream.resume();
  }
}
