import {
  AggregatorRegistry,
  Counter,
  Gauge,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client';

/** The format of getMetricsAsJSON(). */
export type Metrics = readonly MetricObjectWithValues<MetricValue<string>>[];

/** Overrides prom-client's sum where a sum makes no sense. For lag, the worst worker matters. */
const AGGREGATORS: Readonly<Record<string, string>> = {
  process_start_time_seconds: 'first',
  process_max_fds: 'max',
  backworks_proxy_target_up: 'min',
  nodejs_eventloop_lag_seconds: 'max',
  nodejs_eventloop_lag_min_seconds: 'min',
  nodejs_eventloop_lag_max_seconds: 'max',
  nodejs_eventloop_lag_mean_seconds: 'max',
  nodejs_eventloop_lag_stddev_seconds: 'max',
  nodejs_eventloop_lag_p50_seconds: 'max',
  nodejs_eventloop_lag_p90_seconds: 'max',
  nodejs_eventloop_lag_p99_seconds: 'max',
};
/**
 * Types that only grow. The numbers of a worker that has exited are kept: a total that fell would break
 * rates.
 */
const GROWING = ['counter', 'histogram', 'summary'];

export interface MeasuredWorkers {
  /** Asks all workers for their current numbers. Never rejects. */
  update(): Promise<void>;
  /** The last numbers of each worker, without workers that were retained. */
  latest(): readonly Metrics[];
  /** Number of workers that answer requests. */
  serving(): number;
}

/** The metrics of all workers and of this process, merged. */
export class MergedMetrics {
  /** The metrics of this process. */
  readonly registry = new Registry();
  private readonly failures: Counter;
  /** The final numbers of workers that have exited. */
  private ofExited: Metrics = [];
  private endpoints: ReadonlySet<string> = new Set();

  constructor(private readonly workers: MeasuredWorkers) {
    const registers = [this.registry];
    this.failures = new Counter({
      name: 'backworks_worker_failures_total',
      help: 'Worker processes that exited unexpectedly.',
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

  /** Everything in the Prometheus text format. */
  async text(): Promise<string> {
    const own = await this.registry.getMetricsAsJSON();
    await this.workers.update();
    // Synchronous: a worker that exits is in exactly one of the two lists.
    return sum([own, ...this.workers.latest(), this.ofExited]).metrics();
  }

  /** Counts an unexpected exit of a worker. */
  failed(): void {
    this.failures.inc();
  }

  /** Keeps the last numbers of a worker that has exited. */
  retain(last: Metrics): void {
    const growing = last.filter(({ type }) => GROWING.includes(String(type)));
    this.ofExited = sum([this.ofExited, growing]).getMetricsAsArray() as unknown as Metrics;
    this.forgetEndpoints();
  }

  /** Sets which endpoints are counted. The numbers of others are not kept. @param endpoints from countedEndpoints() */
  configure(endpoints: ReadonlySet<string>): void {
    this.endpoints = endpoints;
    this.forgetEndpoints();
  }

  private forgetEndpoints(): void {
    this.ofExited = this.ofExited.map((metric) => ({
      ...metric,
      values: metric.values.filter(
        ({ labels: { endpoint } }) => endpoint === undefined || this.endpoints.has(String(endpoint)),
      ),
    }));
  }
}

function sum(lists: readonly Metrics[]): Registry {
  const chosen = lists.map((metrics) =>
    metrics.map((metric) => ({ ...metric, aggregator: AGGREGATORS[metric.name] ?? metric.aggregator })),
  );
  return AggregatorRegistry.aggregate(chosen);
}
