import type { Metric, MetricValueWithName, Registry } from 'prom-client';

/**
 * Bucket bounds for calls of plugins, in seconds. Hooks take microseconds to milliseconds, but the default buckets
 * of Prometheus start at 5 ms.
 */
export const CALL_BOUNDS: readonly number[] = [
  0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
];

type Labels = Readonly<Record<string, string>>;
type Value = MetricValueWithName<string>;

/**
 * A histogram in a prom-client registry. prom-client's own histogram validates and hashes labels on every
 * observation. This one handles labels only when a series is created and when it is read.
 */
export class DurationHistogram {
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  private readonly all = new Map<string, DurationSeries>();

  constructor(
    readonly name: string,
    readonly help: string,
    registry: Registry,
    private readonly bounds: readonly number[],
  ) {
    // A registry uses only the name and get() of a metric.
    registry.registerMetric(this as unknown as Metric);
  }

  /** The series with these labels. Equal labels return the same series. */
  series(labels: Labels): DurationSeries {
    const key = keyOf(labels);
    let series = this.all.get(key);
    if (series === undefined) {
      series = new DurationSeries(labels, this.bounds);
      this.all.set(key, series);
    }
    return series;
  }

  /** Removes the series with these labels. */
  remove(labels: Labels): void {
    this.all.delete(keyOf(labels));
  }

  /** The format that prom-client prints, and sums over processes. */
  get(): Promise<object> {
    const { name, help, type, aggregator } = this;
    const values = [...this.all.values()].flatMap((series) => series.values(name));
    return Promise.resolve({ name, help, type, aggregator, values });
  }
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels));
}

/** Durations with the same labels. */
export class DurationSeries {
  /** Observations per bucket, not cumulative. The last bucket is for values above every bound. */
  private readonly counts: number[];
  private sum = 0;

  constructor(
    private readonly labels: Labels,
    private readonly bounds: readonly number[],
  ) {
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(seconds: number): void {
    const { bounds } = this;
    let bucket = 0;
    while (bucket < bounds.length && seconds > bounds[bucket]!) bucket += 1;
    this.counts[bucket]! += 1;
    this.sum += seconds;
  }

  values(name: string): Value[] {
    const { labels, bounds } = this;
    let count = 0;
    const buckets = this.counts.map((observed, bucket): Value => {
      count += observed;
      return {
        metricName: `${name}_bucket`,
        labels: { le: bounds[bucket] ?? '+Inf', ...labels },
        value: count,
      };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: this.sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}
