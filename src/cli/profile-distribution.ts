import type { CallTimes } from '../profiling/call-times.js';
import type { LatencyBar } from '../profiling/latency.js';

/** The first stands for none; a space would be lost at the edge of a table's cell. */
const BLOCKS = '·▁▂▃▄▅▆▇█';

/** Durations on one logarithmic scale. */
export interface TimeScale {
  readonly fromUs: number;
  readonly toUs: number;
}

/** A scale on which all of them have their place; null when there are none. */
export function scaleOf(all: readonly CallTimes[]): TimeScale | null {
  const bars = all.flatMap(({ call, plugin, host }) => [...call.bars, ...plugin.bars, ...host.bars]);
  if (bars.length === 0) return null;
  return {
    fromUs: Math.min(...bars.map(({ fromUs }) => fromUs)),
    toUs: Math.max(...bars.map(({ toUs }) => toUs)),
  };
}

/** How often durations came, a character for each part of the scale; one that came shows, however rare. */
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
