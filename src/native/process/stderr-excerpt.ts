import { LastWords } from './last-words.js';

const HEAD_LINES = 10;
const TAIL_LINES = 20;
/** Lines with shorter pauses between them belong to one burst. */
const PAUSE_MS = 1000;

/**
 * An excerpt of a process's stderr: its last lines, and, when the last burst was longer, also the first
 * lines of that burst. A runtime that crashes says why in its first line and then dumps its threads.
 */
export class StderrExcerpt {
  private head: string[] = [];
  private readonly tail: string[] = [];
  private burst = 0;
  private lastMs = -Infinity;
  private words = new LastWords();

  add(line: string): void {
    const now = performance.now();
    if (now - this.lastMs >= PAUSE_MS) {
      this.head = [];
      this.burst = 0;
      this.words = new LastWords();
    }
    this.words.add(line);
    this.lastMs = now;
    this.burst += 1;
    if (this.burst <= HEAD_LINES) this.head.push(line);
    this.tail.push(line);
    if (this.tail.length > TAIL_LINES) this.tail.shift();
  }

  /** Why the plugin's runtime ended the process, from the last burst; null when it did not say. */
  get said(): string | null {
    return this.words.sentence;
  }

  /** Oldest first. A line "… 17 lines …" replaces the omitted lines. */
  lines(): string[] {
    const before = this.burst - this.tail.length;
    if (before <= 0) return [...this.tail];
    const omitted = before - HEAD_LINES;
    const gap = omitted > 0 ? [`… ${omitted} lines …`] : [];
    return [...this.head.slice(0, before), ...gap, ...this.tail];
  }
}
