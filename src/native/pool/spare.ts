import type { NativePluginOptions } from '../plugin.js';
import { threadActivity } from '../process/limits/process-usage.js';
import { RestartDelay } from '../process/restart-delay.js';
import type { RunnerProcess } from '../runner/runner-process.js';
import { StartDeadline } from './start-deadline.js';
import { inTurn } from '../process/start-turn.js';

/**
 * The spare process of one plugin: its sandbox is active and its library loaded, but not initialized. Its
 * end is not counted as a failure.
 */
export class Spare {
  /** The spare, ready or starting; null when there is none. */
  process: RunnerProcess | null = null;
  private timer: NodeJS.Timeout | null = null;
  /** A spare is due to be started. */
  private waiting = false;
  private closed = false;
  private readonly delay: RestartDelay;

  constructor(
    private readonly options: NativePluginOptions,
    private readonly spawn: () => Promise<RunnerProcess>,
  ) {
    this.delay = new RestartDelay(() => options.restart);
  }

  get usable(): boolean {
    return this.process?.usable === true;
  }

  /** Takes the spare to initialize it; null when there is none, or when it is halted. */
  take(): RunnerProcess | null {
    const { process } = this;
    if (process?.usable !== true) return null;
    this.process = null;
    if (threadActivity(process.pid, process.pid) !== 'halted') return process;
    // A halted process would not answer until its time to initialize has passed.
    process.kill();
    return null;
  }

  /** Starts a spare, unless there is one, when no other process is starting. Never rejects. */
  async start(): Promise<void> {
    if (this.closed || this.process !== null || this.waiting) return;
    this.waiting = true;
    await inTurn(() => this.load(), 'last');
  }

  /** Must be called for every process that ended. */
  ended(process: RunnerProcess): void {
    if (this.process !== process) return;
    this.process = null;
    this.startLater(Date.now() - process.startedAt.getTime());
  }

  /** Starts no further spare, and kills the current spare. */
  close(): void {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.process?.kill();
  }

  private async load(): Promise<void> {
    try {
      this.process = await this.spawn().finally(() => (this.waiting = false));
    } catch {
      this.startLater(0);
      return;
    }
    const { process } = this;
    if (this.closed) process.kill();
    const deadline = new StartDeadline(process, this.options.initializeTimeoutMs);
    try {
      await process.loadLibrary();
    } catch {
      // If the library no longer loads, the next worker's start reports it.
      process.kill();
    } finally {
      deadline.clear();
    }
  }

  /** Delays the next start after a spare that did not start or soon ended, as for workers. */
  private startLater(lifetimeMs: number): void {
    if (this.closed) return;
    this.delay.failed(lifetimeMs);
    this.timer ??= setTimeout(() => {
      this.timer = null;
      void this.start();
    }, this.delay.remainingMs()).unref();
  }
}
