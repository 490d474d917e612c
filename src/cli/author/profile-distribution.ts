import type { CallTimes } from '../../profiling/call-times.js';
import type { LatencyBar } from '../../profiling/latency.js';

/** The first character means no calls. A space would be trimmed at the edge of a table cell. */
const BLOCKS = '·▁▂▃▄▅▆▇█';

/** A logarithmic scale for durations. */
export interface TimeScale {
  readonly fromUs: number;
  readonly toUs: number;
}

/** A scale that covers all durations; null when there are none. */
export function scaleOf(all: readonly CallTimes[]): TimeScale | null {
  const bars = all.flatMap(({ call, plugin, host }) => [...call.bars, ...plugin.bars, ...host.bars]);
  if (bars.length === 0) return null;
  return {
    fromUs: Math.min(...bars.map(({ fromUs }) => fromUs)),
    toUs: Math.max(...bars.map(({ toUs }) => toUs)),
  };
}

/** Frequencies of durations, one character per part of the scale. Even one call shows. */
export function sparkline(bars: readonly LatencyBar[], scale: TimeScale, widthMax: number): string {
  const [first] = bars;
  if (first === undefined) return '';
  const barWidth = Math.log10(first.toUs / first.fromUs);
  const place = (us: number): number => Math.round(Math.log10(us / scale.fromUs) / barWidth);
  const barsEach = Math.ceil(place(scale.toUs) / widthMax);
  const calls = new Array<number>(Math.ceil(place(scale.toUs) / barsEach)).fill(0);
  for (const bar of bars) calls[Math.floor(place(bar.fromUs) / barsEach)]! += bar.calls;
  const most = Math.max(...calls);
  return calls.map((count) => BLOCKS[Math.ceil((count / most) * (BLOCKS.length - 1))]).join('');
}
