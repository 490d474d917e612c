import type { NativePluginOptions } from './native-plugin.js';
import { threadActivity } from './limits/process-usage.js';
import type { RunnerProcess } from './runner-process.js';
import { StartDeadline } from './start-deadline.js';

/**
 * The process of one plugin that stands by: it has its sandbox and the library loaded, and is not
 * initialized. Nobody is charged with its end.
 */
export class Spare {
  /** The one that stands by or is getting there; null when there is none. */
  process: RunnerProcess | null = null;
  private timer: NodeJS.Timeout | null = null;
  private closed = false;

  constructor(
    private readonly options: NativePluginOptions,
    private readonly spawn: () => RunnerProcess,
  ) {}

  get usable(): boolean {
    return this.process?.usable === true;
  }

  /** Hands it over to be initialized; null when there is none that would answer. */
  take(): RunnerProcess | null {
    const { process } = this;
    if (process?.usable !== true) return null;
    this.process = null;
    if (threadActivity(process.pid, process.pid) !== 'halted') return process;
    // It would not answer before its time to initialize has passed.
    process.kill();
    return null;
  }

  /** Starts one, unless there is one. Never rejects. */
  async start(): Promise<void> {
    if (this.closed || this.process !== null) return;
    let process: RunnerProcess | null = null;
    try {
      process = this.spawn();
      this.process = process;
      const deadline = new StartDeadline(process, this.options.initializeTimeoutMs);
      await process.loadLibrary().finally(() => deadline.clear());
    } catch {
      // A library that does not load any more shows itself when the next worker starts.
      process?.kill();
      if (process === null) this.startLater();
    }
  }

  /** To be told of every process that ended. */
  ended(process: RunnerProcess): void {
    if (this.process !== process) return;
    this.process = null;
    this.startLater();
  }

  /** Starts none any more, and ends the one there is. */
  close(): void {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.process?.kill();
  }

  /** One that ends by itself is no hurry: the next may do so again. */
  private startLater(): void {
    if (this.closed) return;
    this.timer ??= setTimeout(() => {
      this.timer = null;
      void this.start();
    }, this.options.restart.maxDelayMs).unref();
  }
}
