const HEAD_LINES = 10;
const TAIL_LINES = 20;
/** Lines that come closer together are of one outburst. */
const PAUSE_MS = 1000;

/**
 * What a process wrote to stderr, in short: its last lines, and when its last outburst was longer, also the
 * lines that began it. A runtime that dies says why in its first line and dumps its threads after that.
 */
export class StderrExcerpt {
  private head: string[] = [];
  private readonly tail: string[] = [];
  private burst = 0;
  private lastMs = -Infinity;

  add(line: string): void {
    const now = performance.now();
    if (now - this.lastMs >= PAUSE_MS) {
      this.head = [];
      this.burst = 0;
    }
    this.lastMs = now;
    this.burst += 1;
    if (this.burst <= HEAD_LINES) this.head.push(line);
    this.tail.push(line);
    if (this.tail.length > TAIL_LINES) this.tail.shift();
  }

  /** Oldest first; a line "… 17 lines …" stands for those that were left out. */
  lines(): string[] {
    const before = this.burst - this.tail.length;
    if (before <= 0) return [...this.tail];
    const omitted = before - HEAD_LINES;
    const gap = omitted > 0 ? [`… ${omitted} lines …`] : [];
    return [...this.head.slice(0, before), ...gap, ...this.tail];
  }
}
