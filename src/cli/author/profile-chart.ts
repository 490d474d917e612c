import type { CallTimes } from '../../profiling/call-times.js';
import type { LatencySummary } from '../../profiling/latency.js';
import type { HookProfile, PluginProfile } from '../../profiling/profile.js';
import { scaleOf, type TimeScale } from './profile-distribution.js';
import { duration } from './profile-report.js';

const WIDTH = 840;
const LEFT = 72;
const RIGHT = 24;
const TOP = 66;
const TITLE_HEIGHT = 26;
const STRIP = 66;
const BARS_HEIGHT = 56;
const AXIS_HEIGHT = 40;
const SHARES = ['call', 'plugin', 'host'] as const;
const PANEL = TITLE_HEIGHT + SHARES.length * STRIP + AXIS_HEIGHT;
const MARK_LINE = 12;
/** Labels closer to the edge than this go on the other side of their line. */
const LABEL_WIDTH = 90;
const STYLE = `text { fill: #1f2328; font-family: system-ui, sans-serif; font-size: 11px }
.call { fill: #6e7781 } .plugin { fill: #2f6f4f } .host { fill: #2f5f8f }
.line { stroke: #6e7781 } .grid { stroke: #d0d7de } .mark { stroke: #b35900; stroke-dasharray: 3 3 } .mark-text { fill: #b35900; paint-order: stroke; stroke: #ffffff; stroke-width: 3px }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .call { fill: #8b949e } .plugin { fill: #57b482 } .host { fill: #6ea8dc }
.line { stroke: #8b949e } .grid { stroke: #30363d } .mark { stroke: #f0a35e } .mark-text { fill: #f0a35e; stroke: #0d1117 } }`;

type Measured = HookProfile & { readonly times: CallTimes };

/**
 * Histograms of where the time of each hook's calls goes, as one SVG. All histograms share one logarithmic
 * scale. The colours work on light and dark pages.
 */
export function latencyChart(profile: PluginProfile): string {
  const measured = profile.hooks.filter((hook): hook is Measured => hook.times !== null);
  const scale = scaleOf(measured.map(({ times }) => times));
  const title = `${profile.name} ${profile.version}: where the time of a call goes`;
  const what = 'one call at a time; call: total time; plugin: the part in its own function; host: the rest';
  const height = TOP + Math.max(1, measured.length) * PANEL;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escape(title)}">`,
    `<style>${STYLE}</style>`,
    text(RIGHT, 26, title, 'style="font-size: 16px; font-weight: 600"'),
    text(RIGHT, 44, what),
    scale === null ? text(RIGHT, TOP + 20, 'no call was answered') : '',
    ...measured.map((hook, index) =>
      scale === null ? '' : panel(hook, TOP + index * PANEL, new Axis(scale)),
    ),
    '</svg>\n',
  ].join('\n');
}

function panel({ hook, times, load }: Measured, top: number, axis: Axis): string {
  const strips = top + TITLE_HEIGHT;
  const bottom = strips + SHARES.length * STRIP;
  const calls = `${times.call.calls.toLocaleString('en-US')} calls`;
  const speed =
    load === null ? '' : `, ${Math.round(load.callsPerSecond).toLocaleString('en-US')} calls/s under load`;
  return [
    text(RIGHT, top + 12, `${hook}: ${calls}${speed}`, 'style="font-size: 13px; font-weight: 600"'),
    ...axis.ticks().map((us) => tick(axis.x(us), strips, bottom, duration(us))),
    ...SHARES.map((share, index) => strip(share, times[share], strips + (index + 1) * STRIP, axis)),
  ].join('\n');
}

/** The histogram of one share of the time. `base` is its lower edge. */
function strip(share: (typeof SHARES)[number], latency: LatencySummary, base: number, axis: Axis): string {
  const most = Math.max(...latency.bars.map(({ calls }) => calls));
  const bars = latency.bars
    .filter(({ calls }) => calls > 0)
    .map(({ fromUs, toUs, calls }) => {
      // Rare calls are the interesting ones, so each bar is at least one pixel high.
      const height = Math.max(1, (calls / most) * BARS_HEIGHT);
      const [from, to] = [axis.x(fromUs), axis.x(toUs)];
      const label = `${share}: ${calls} calls from ${duration(fromUs)} to ${duration(toUs)}`;
      return `<rect class="${share}" x="${fixed(from)}" y="${fixed(base - height)}" width="${fixed(to - from - 1)}" height="${fixed(height)}"><title>${label}</title></rect>`;
    });
  const marks = [
    mark(`p50 ${duration(latency.p50Us)}`, axis.x(latency.p50Us), base, 0),
    mark(`p99 ${duration(latency.p99Us)}`, axis.x(latency.p99Us), base, 1),
    mark(`p99.9 ${duration(latency.p999Us)}`, axis.x(latency.p999Us), base, 2),
  ];
  return [
    text(RIGHT, base - 4, share),
    ...bars,
    `<line class="line" x1="${LEFT}" y1="${base}" x2="${WIDTH - RIGHT}" y2="${base}"/>`,
    ...marks,
  ].join('\n');
}

function mark(label: string, x: number, base: number, line: number): string {
  const y = base - BARS_HEIGHT + line * MARK_LINE;
  const before = x + LABEL_WIDTH > WIDTH;
  const side = before ? ' text-anchor="end"' : '';
  return [
    `<line class="mark" x1="${fixed(x)}" y1="${y}" x2="${fixed(x)}" y2="${base}"/>`,
    text(before ? x - 4 : x + 4, y + 9, label, `class="mark-text"${side}`),
  ].join('\n');
}

function tick(x: number, top: number, bottom: number, label: string): string {
  return [
    `<line class="grid" x1="${fixed(x)}" y1="${top}" x2="${fixed(x)}" y2="${bottom}"/>`,
    text(x, bottom + 16, label, 'text-anchor="middle"'),
  ].join('\n');
}

class Axis {
  constructor(private readonly scale: TimeScale) {}

  x(us: number): number {
    const { fromUs, toUs } = this.scale;
    const share = Math.log10(Math.max(us, fromUs) / fromUs) / Math.log10(toUs / fromUs);
    return LEFT + share * (WIDTH - LEFT - RIGHT);
  }

  /** Powers of ten within the scale. */
  ticks(): number[] {
    const first = Math.ceil(Math.log10(this.scale.fromUs) - 1e-9);
    const last = Math.floor(Math.log10(this.scale.toUs) + 1e-9);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => 10 ** (first + index));
  }
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" ${attributes}>${escape(content)}</text>`;
}

const fixed = (value: number): string => value.toFixed(1);

function escape(content: string): string {
  return content.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
