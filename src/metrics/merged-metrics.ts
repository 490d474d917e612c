import {
  AggregatorRegistry,
  Counter,
  Gauge,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client';

/** In the form of getMetricsAsJSON(). */
export type Metrics = readonly MetricObjectWithValues<MetricValue<string>>[];

/** Where prom-client would add up what does not add up. Of lag, the worst worker is what matters. */
const AGGREGATORS: Readonly<Record<string, string>> = {
  process_start_time_seconds: 'first',
  process_max_fds: 'max',
  nodejs_eventloop_lag_seconds: 'max',
  nodejs_eventloop_lag_min_seconds: 'min',
  nodejs_eventloop_lag_max_seconds: 'max',
  nodejs_eventloop_lag_mean_seconds: 'max',
  nodejs_eventloop_lag_stddev_seconds: 'max',
  nodejs_eventloop_lag_p50_seconds: 'max',
  nodejs_eventloop_lag_p90_seconds: 'max',
  nodejs_eventloop_lag_p99_seconds: 'max',
};
/** What only grows; a worker's share outlives it, or rates would be computed from a number that fell. */
const GROWING = ['counter', 'histogram', 'summary'];

export interface MeasuredWorkers {
  /** Has all say what they have counted. Never rejects. */
  update(): Promise<void>;
  /** What each said last; of one that was retained nothing. */
  latest(): readonly Metrics[];
  /** How many answer requests. */
  serving(): number;
}

/** The numbers of all workers and of this process, as one. */
export class MergedMetrics {
  /** Those of this process. */
  readonly registry = new Registry();
  private readonly failures: Counter;
  /** What workers had counted that are no more. */
  private ofEnded: Metrics = [];

  constructor(private readonly workers: MeasuredWorkers) {
    const registers = [this.registry];
    this.failures = new Counter({
      name: 'backworks_worker_failures_total',
      help: 'Worker processes of the server that ended unasked.',
      registers,
    });
    new Gauge({
      name: 'backworks_workers',
      help: 'Worker processes that answer requests.',
      registers,
      collect() {
        this.set(workers.serving());
      },
    });
  }

  /** The Prometheus text exposition of everything. */
  async text(): Promise<string> {
    const own = await this.registry.getMetricsAsJSON();
    await this.workers.update();
    // In one turn: what a worker counted that ends is in one of the two, never in both or in none.
    return sum([own, ...this.workers.latest(), this.ofEnded]).metrics();
  }

  /** A worker ended unasked. */
  failed(): void {
    this.failures.inc();
  }

  /** A worker has ended: keeps what it had counted when it was asked last. */
  retain(last: Metrics): void {
    const growing = last.filter(({ type }) => GROWING.includes(String(type)));
    this.ofEnded = sum([this.ofEnded, growing]).getMetricsAsArray() as unknown as Metrics;
  }
}

function sum(lists: readonly Metrics[]): Registry {
  const chosen = lists.map((metrics) =>
    metrics.map((metric) => ({ ...metric, aggregator: AGGREGATORS[metric.name] ?? metric.aggregator })),
  );
  return AggregatorRegistry.aggregate(chosen);
}
