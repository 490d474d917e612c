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

/** The numbers of all workers and of this process, as one. */
export class MergedMetrics {
  /** Those of this process. */
  readonly registry = new Registry();
  private readonly failures: Counter;
  /** What workers had counted that are no more. */
  private ofEnded: Promise<Metrics> = Promise.resolve([]);

  /**
   * @param collect what every worker says; of one that does not answer, what it said last
   * @param serving how many workers answer requests
   */
  constructor(
    private readonly collect: () => Promise<readonly Metrics[]>,
    serving: () => number,
  ) {
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
        this.set(serving());
      },
    });
  }

  /** The Prometheus text exposition of everything. */
  async text(): Promise<string> {
    const own = await this.registry.getMetricsAsJSON();
    const ofWorkers = await this.collect();
    return sum([own, ...ofWorkers, await this.ofEnded]).metrics();
  }

  /** A worker ended unasked. */
  failed(): void {
    this.failures.inc();
  }

  /** A worker has ended: keeps what it had counted when it was asked last. */
  retain(last: Metrics): void {
    const growing = last.filter(({ type }) => GROWING.includes(String(type)));
    this.ofEnded = this.ofEnded.then((kept) => sum([kept, growing]).getMetricsAsJSON());
  }
}

function sum(lists: readonly Metrics[]): Registry {
  const chosen = lists.map((metrics) =>
    metrics.map((metric) => ({ ...metric, aggregator: AGGREGATORS[metric.name] ?? metric.aggregator })),
  );
  return AggregatorRegistry.aggregate(chosen);
}
