import type { RunnerProcess } from '../runner/runner-process.js';

/** Ends a process that takes too long to start. Time that the server needs meanwhile does not count. */
export class StartDeadline {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly process: RunnerProcess,
    private readonly limitMs: number,
  ) {
    this.begin();
  }

  /** Waits for work of the server; afterwards the process has its full time again. */
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
