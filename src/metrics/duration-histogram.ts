import type { Metric, MetricValueWithName, Registry } from 'prom-client';

/** Seconds. Hooks take microseconds to milliseconds; Prometheus's defaults start at 5 ms. */
const BOUNDS = [
  0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
];

type Labels = Readonly<Record<string, string>>;
type Value = MetricValueWithName<string>;

/**
 * A histogram in a prom-client registry. prom-client's own validates and hashes the labels of every
 * observation; here they are looked at when a series is made and when somebody reads it.
 */
export class DurationHistogram {
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  private readonly all = new Map<string, DurationSeries>();

  constructor(
    readonly name: string,
    readonly help: string,
    registry: Registry,
  ) {
    // A registry asks a metric for nothing but its name and get().
    registry.registerMetric(this as unknown as Metric);
  }

  /** The series with these labels; the same one every time. */
  series(labels: Labels): DurationSeries {
    const key = JSON.stringify(Object.entries(labels));
    let series = this.all.get(key);
    if (series === undefined) {
      series = new DurationSeries(labels);
      this.all.set(key, series);
    }
    return series;
  }

  /** What prom-client formats, and adds up over processes. */
  get(): Promise<object> {
    const { name, help, type, aggregator } = this;
    const values = [...this.all.values()].flatMap((series) => series.values(name));
    return Promise.resolve({ name, help, type, aggregator, values });
  }
}

/** Durations with the same labels. */
export class DurationSeries {
  /** By bucket, each observation in one; the last is for those beyond every bound. */
  private readonly counts = new Array<number>(BOUNDS.length + 1).fill(0);
  private sum = 0;

  constructor(private readonly labels: Labels) {}

  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < BOUNDS.length && seconds > BOUNDS[bucket]!) bucket += 1;
    this.counts[bucket]! += 1;
    this.sum += seconds;
  }

  values(name: string): Value[] {
    const { labels } = this;
    let count = 0;
    const buckets = this.counts.map((observed, bucket): Value => {
      count += observed;
      return {
        metricName: `${name}_bucket`,
        labels: { le: BOUNDS[bucket] ?? '+Inf', ...labels },
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
