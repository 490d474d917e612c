import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { oneLine } from '../../printable.js';
import { FrameError } from '../protocol/frames.js';
import type { PluginLogLine } from '../plugin.js';
import { ReadPace } from './read-pace.js';
import { StderrExcerpt } from './stderr-excerpt.js';

const LINE_CHARACTERS_MAX = 8 * 1024;
/** Counted for each line in addition to its text, because the log writes more than the text. */
const LINE_OVERHEAD_BYTES = 64;
const RATE_WINDOW_MS = 1000;
/** A read holds many lines when a plugin prints a lot, so this is enough for any honest plugin. */
const READS_PER_SECOND_MAX = 200;
/** A runner keeps to the rate, but frames sent before a change of the rate may exceed the new rate. */
const FRAMED_RATES_MAX = 8;
const FRAMED_BYTES_MAX = 2 * 1024 * 1024;

/**
 * Turns the output of a plugin process into log lines. Output beyond the rate is dropped and counted. The
 * server then pauses between reads, so that a plugin which prints without end waits for the server and does
 * not keep it busy.
 */
export class PluginOutput {
  private readonly stderr = new StderrExcerpt();
  private budget = 0;
  /** Bytes of LOG frames in this second. */
  private framed = 0;
  private dropped = 0;
  private rate = 0;
  private windowStartMs = -Infinity;
  private readonly paces: ReadPace[] = [];

  /**
   * @param bytesPerSecond called every second for the current limit
   * @param limitedAtSource whether the runner knows the rate
   */
  constructor(
    private readonly bytesPerSecond: () => number,
    private readonly emit: (line: Omit<PluginLogLine, 'pid'>) => void,
    private readonly limitedAtSource = true,
  ) {}

  /** The end of stderr, oldest line first, for reports about the end of the process. */
  get stderrTail(): string[] {
    return this.stderr.lines();
  }

  /** Why the plugin's runtime ended the process, if it said so on stderr. */
  get said(): string | null {
    return this.stderr.said;
  }

  attach(stream: Readable, source: 'stdout' | 'stderr'): void {
    let partial = '';
    const decoder = new StringDecoder('utf8');
    const pace = new ReadPace(stream, READS_PER_SECOND_MAX);
    this.paces.push(pace);
    stream.on('data', (bytes: Buffer) => {
      if (!this.spend(bytes.length)) {
        pace.pause();
        return;
      }
      pace.count();
      const lines = (partial + decoder.write(bytes)).split('\n');
      partial = (lines.pop() ?? '').slice(0, LINE_CHARACTERS_MAX);
      for (const line of lines) this.line(source, line);
    });
    stream.on('end', () => {
      if (partial !== '') this.line(source, partial);
    });
    stream.on('error', () => {
      // A read error on the pipe of an ending process adds nothing to its exit status.
    });
  }

  /**
   * Reads the remaining output without pauses, because the process has ended.
   * @returns whether output may be left
   */
  release(): boolean {
    return this.paces.map((pace) => pace.release()).includes(true);
  }

  /**
   * Handles a LOG frame. A runner drops lines beyond the rate and reports how many bytes that were.
   * @throws FrameError when more arrives in a second than the runner would send: the plugin wrote the frames
   */
  frame(level: PluginLogLine['level'], text: string, droppedBytes: number): void {
    this.beginWindow();
    this.framed += text.length + LINE_OVERHEAD_BYTES;
    const allowed = FRAMED_RATES_MAX * this.rate + FRAMED_BYTES_MAX;
    if (this.framed > allowed && this.limitedAtSource)
      throw new FrameError(`more than ${allowed} bytes of log frames in a second`);
    if (droppedBytes > 0) this.drop(droppedBytes);
    if (droppedBytes === 0 || text !== '') this.log(level, text);
  }

  /** Logs a text in the plugin's name. Each line of the text becomes a line of the log. */
  log(level: PluginLogLine['level'], text: string): void {
    for (const line of text.split('\n')) {
      if (line.trim() === '' && line !== text) continue;
      if (this.spend(line.length + LINE_OVERHEAD_BYTES))
        this.emit({ source: 'log', level, text: oneLine(line.replace(/\r$/, '')) });
    }
  }

  private line(source: 'stdout' | 'stderr', raw: string): void {
    const text = oneLine(raw.slice(0, LINE_CHARACTERS_MAX).replace(/\r$/, ''));
    if (text.trim() === '') return;
    if (!this.spend(LINE_OVERHEAD_BYTES)) {
      this.drop(raw.length);
      return;
    }
    if (source === 'stderr') this.stderr.add(text);
    // Many libraries write progress to stderr, so a line there is not a warning by itself.
    this.emit({ source, level: 'info', text });
  }

  /** Takes bytes from this second's budget; false when the budget is used up. */
  private spend(bytes: number): boolean {
    this.beginWindow();
    this.budget -= bytes;
    if (this.budget >= 0) return true;
    this.drop(bytes);
    return false;
  }

  private beginWindow(): void {
    const now = performance.now();
    if (now - this.windowStartMs < RATE_WINDOW_MS) return;
    this.windowStartMs = now;
    this.rate = this.bytesPerSecond();
    this.budget = this.rate;
    this.framed = 0;
  }

  private drop(bytes: number): void {
    // By a timer, because the plugin may write nothing more.
    if (this.dropped === 0) setTimeout(() => this.reportDropped(), RATE_WINDOW_MS).unref();
    this.dropped += bytes;
  }

  private reportDropped(): void {
    const text = `${this.dropped} bytes of output dropped: more than ${this.bytesPerSecond()} bytes a second`;
    this.dropped = 0;
    this.emit({ source: 'log', level: 'warn', text });
  }
}
