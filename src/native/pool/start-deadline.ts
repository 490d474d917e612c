import type { RunnerProcess } from '../runner/runner-process.js';

/** Kills a process that takes too long to start. Time in which the process waits for the server does not count. */
export class StartDeadline {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly process: RunnerProcess,
    private readonly limitMs: number,
  ) {
    this.begin();
  }

  /** Waits for work of the server, then gives the process its full time again. */
  async pausedFor(work: Promise<void> | undefined): Promise<void> {
    if (work === undefined) return;
    this.clear();
    await work;
    this.begin();
  }

  clear(): void {
    clearTimeout(this.timer);
  }

  private begin(): void {
    this.timer = setTimeout(() => this.process.kill({ kind: 'deadline' }), this.limitMs);
  }
}
