import { RestartDelay } from '../native/process/restart-delay.js';
import type { WorkerStatus } from '../traffic.js';
import type { Metrics } from '../metrics/merged-metrics.js';
import type { WorkerProcess } from './worker-process.js';
import type { WorkerReport } from './worker-procedures.js';

/** A worker that says nothing for so long is told of as it was. */
const ANSWER_LIMIT_MS = 1000;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 10_000;

/** The place of one worker: the process in it, and what that said last. */
export class WorkerSlot {
  private serving: WorkerProcess | null = null;
  private since = new Date();
  private failures = 0;
  private lastEnd: WorkerStatus['lastEnd'] = null;
  /** What it said last. */
  report: WorkerReport | null = null;
  metrics: Metrics = [];
  readonly delay = new RestartDelay(() => ({ delayMs: FIRST_DELAY_MS, maxDelayMs: MAX_DELAY_MS }));

  constructor(readonly number: number) {}

  /** The one that answers requests; null while there is none. */
  get process(): WorkerProcess | null {
    return this.serving;
  }

  /** A process begins to answer requests. */
  serves(process: WorkerProcess): void {
    this.serving = process;
    this.since = new Date();
  }

  /** The process has ended. @param how unasked; null when it was asked to */
  ended(how: string | null): void {
    this.serving = null;
    this.since = new Date();
    if (how === null) return;
    this.failures += 1;
    this.lastEnd = { time: this.since, how };
  }

  /** A process that was to take this place did not come so far. */
  failed(why: string): void {
    this.lastEnd = { time: new Date(), how: `did not start: ${why}` };
  }

  status(): WorkerStatus {
    const { number, serving, since, failures, lastEnd } = this;
    const state = serving === null ? 'starting' : 'serving';
    return { worker: number, pid: serving?.pid ?? null, state, since, failures, lastEnd };
  }

  /** Asks for its plugins. Never rejects. */
  async updateReport(): Promise<void> {
    const { process } = this;
    const report = await answer(process?.call('report'));
    if (report !== null && process === this.process) this.report = report;
  }

  /** Asks for its numbers. Never rejects. */
  async updateMetrics(): Promise<void> {
    const { process } = this;
    const metrics = await answer(process?.call('metrics'));
    if (metrics !== null && process === this.process) this.metrics = metrics as unknown as Metrics;
  }
}

async function answer<T>(asked: Promise<T> | undefined): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ANSWER_LIMIT_MS);
  });
  const answered = await Promise.race([asked?.catch(() => null) ?? null, limit]);
  clearTimeout(timer);
  return answered;
}
