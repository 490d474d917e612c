import type { NativePluginOptions } from '../plugin.js';
import { threadActivity } from '../process/limits/process-usage.js';
import { RestartDelay } from '../process/restart-delay.js';
import type { RunnerProcess } from '../runner/runner-process.js';
import { StartDeadline } from './start-deadline.js';
import { inTurn } from '../process/start-turn.js';

/**
 * The process of one plugin that stands by: it has its sandbox and the library loaded, and is not
 * initialized. Nobody is charged with its end.
 */
export class Spare {
  /** The one that stands by or is getting there; null when there is none. */
  process: RunnerProcess | null = null;
  private timer: NodeJS.Timeout | null = null;
  /** One is to be started when its turn comes. */
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

  /** Starts one, unless there is one, when nothing else starts. Never rejects. */
  async start(): Promise<void> {
    if (this.closed || this.process !== null || this.waiting) return;
    this.waiting = true;
    await inTurn(() => this.load(), 'last');
  }

  /** To be told of every process that ended. */
  ended(process: RunnerProcess): void {
    if (this.process !== process) return;
    this.process = null;
    this.startLater(Date.now() - process.startedAt.getTime());
  }

  /** Starts none any more, and ends the one there is. */
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
      // A library that does not load any more shows itself when the next worker starts.
      process.kill();
    } finally {
      deadline.clear();
    }
  }

  /** Sooner after one that stood by for long than after one that would not start, as with workers. */
  private startLater(lifetimeMs: number): void {
    if (this.closed) return;
    this.delay.failed(lifetimeMs);
    this.timer ??= setTimeout(() => {
      this.timer = null;
      void this.start();
    }, this.delay.remainingMs()).unref();
  }
}
