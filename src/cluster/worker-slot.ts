import { RestartDelay } from '../native/process/restart-delay.js';
import type { WorkerStatus } from '../traffic.js';
import type { Metrics } from '../metrics/merged-metrics.js';
import type { WorkerProcess } from './worker-process.js';
import type { WorkerReport } from './worker-procedures.js';

/** When a worker takes longer to answer, its previous report is used. */
const ANSWER_LIMIT_MS = 1000;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 10_000;

/** One worker number: the process that has the number now, and its last report. */
export class WorkerSlot {
  private serving: WorkerProcess | null = null;
  private since = new Date();
  private failures = 0;
  private lastEnd: WorkerStatus['lastEnd'] = null;
  /** The last report, or null when no process has sent one. */
  report: WorkerReport | null = null;
  metrics: Metrics = [];
  readonly delay = new RestartDelay(() => ({ delayMs: FIRST_DELAY_MS, maxDelayMs: MAX_DELAY_MS }));

  constructor(readonly number: number) {}

  /** The process that answers requests, or null. */
  get process(): WorkerProcess | null {
    return this.serving;
  }

  /** Called when a process begins to answer requests. */
  serves(process: WorkerProcess): void {
    this.serving = process;
    this.since = new Date();
  }

  /** Called when the process has exited. @param how the way it ended, or null when it was asked to stop */
  ended(how: string | null): void {
    this.serving = null;
    this.since = new Date();
    if (how === null) return;
    this.failures += 1;
    this.lastEnd = { time: this.since, how };
  }

  /** Called when a replacement failed to start. */
  failed(why: string): void {
    this.lastEnd = { time: new Date(), how: `failed to start: ${why}` };
  }

  status(): WorkerStatus {
    const { number, serving, since, failures, lastEnd } = this;
    const state = serving === null ? 'starting' : 'serving';
    return { worker: number, pid: serving?.pid ?? null, state, since, failures, lastEnd };
  }

  /** Fetches the worker's report. Never rejects. */
  async updateReport(): Promise<void> {
    const { process } = this;
    const report = await answer(process?.call('report'));
    if (report !== null && process === this.process) this.report = report;
  }

  /** Fetches the worker's metrics. Never rejects. */
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
