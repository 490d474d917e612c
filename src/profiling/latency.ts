import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

const NS_PER_US = 1000;
/** Histogram bars for each factor of ten. */
const BARS_PER_DECADE = 10;

export interface LatencyBar {
  readonly fromUs: number;
  readonly toUs: number;
  readonly calls: number;
}

/** How long calls took, in microseconds. */
export interface LatencySummary {
  readonly calls: number;
  readonly meanUs: number;
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
  /** Histogram bars of equal width on a logarithmic scale, from the fastest call to the slowest. */
  readonly bars: readonly LatencyBar[];
}

/** Collects durations. Each is kept with three significant digits; the mean is exact. */
export class LatencyRecorder {
  private totalUs = 0;
  private readonly histogram: RecordableHistogram = createHistogram();
  private readonly bars = new Map<number, number>();

  record(milliseconds: number): void {
    const us = Math.max(milliseconds * 1000, 0.001);
    this.totalUs += us;
    this.histogram.record(Math.max(1, Math.round(us * NS_PER_US)));
    const bar = Math.floor(Math.log10(us) * BARS_PER_DECADE);
    this.bars.set(bar, (this.bars.get(bar) ?? 0) + 1);
  }

  /** Null when nothing was recorded. */
  summary(): LatencySummary | null {
    const { histogram } = this;
    if (histogram.count === 0) return null;
    const us = (nanoseconds: number): number => nanoseconds / NS_PER_US;
    return {
      calls: histogram.count,
      meanUs: this.totalUs / histogram.count,
      p50Us: us(histogram.percentile(50)),
      p90Us: us(histogram.percentile(90)),
      p99Us: us(histogram.percentile(99)),
      p999Us: us(histogram.percentile(99.9)),
      maxUs: us(histogram.max),
      bars: this.listBars(),
    };
  }

  private listBars(): LatencyBar[] {
    const first = Math.min(...this.bars.keys());
    const last = Math.max(...this.bars.keys());
    return Array.from({ length: last - first + 1 }, (_, index) => ({
      fromUs: 10 ** ((first + index) / BARS_PER_DECADE),
      toUs: 10 ** ((first + index + 1) / BARS_PER_DECADE),
      calls: this.bars.get(first + index) ?? 0,
    }));
  }
}
