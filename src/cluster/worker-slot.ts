import { BackworksError } from '../errors.js';
import { RestartDelay } from '../native/restart-delay.js';
import type { Metrics } from './merged-metrics.js';
import type { WorkerProcess } from './worker-process.js';
import type { WorkerReport } from './worker-procedures.js';

/** A worker that says nothing for so long is told of as it was. */
const ANSWER_LIMIT_MS = 1000;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 10_000;

/** The place of one worker: the process in it, and what that said last. */
export class WorkerSlot {
  /** The one that answers requests; null while there is none. */
  process: WorkerProcess | null = null;
  /** What it said last. */
  report: WorkerReport | null = null;
  metrics: Metrics = [];
  readonly delay = new RestartDelay(() => ({ delayMs: FIRST_DELAY_MS, maxDelayMs: MAX_DELAY_MS }));

  constructor(readonly number: number) {}

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

  /** @throws BackworksError BW_SERVER_WORKER when there is no process */
  get running(): WorkerProcess {
    if (this.process !== null) return this.process;
    throw new BackworksError('BW_SERVER_WORKER', `worker ${this.number} is not running`);
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
