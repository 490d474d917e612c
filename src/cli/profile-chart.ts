import type { LatencySummary } from '../profiling/latency.js';
import type { HookProfile, PluginProfile } from '../profiling/profile.js';
import { duration } from './profile-report.js';

const WIDTH = 840;
const LEFT = 20;
const TOP = 50;
const PANEL = 190;
const BARS_HEIGHT = 110;
const TITLE_SPACE = 28;
const FONT = 'font-family="system-ui, sans-serif"';
const STYLE = `text { fill: #1f2328 } .bar { fill: #2f6f4f } .line { stroke: #6e7781 } .mark { stroke: #b35900 } .mark-text { fill: #b35900 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .bar { fill: #57b482 } .line { stroke: #8b949e } .mark { stroke: #f0a35e } .mark-text { fill: #f0a35e } }`;

/** A histogram of latencies for each hook as SVG, all on one logarithmic scale, on light and dark pages. */
export function latencyChart(profile: PluginProfile): string {
  const measured = profile.hooks.flatMap((hook) =>
    hook.latency === null ? [] : [{ ...hook, ...hook.latency }],
  );
  const bars = measured.flatMap((hook) => hook.bars);
  const scale = new LogScale(
    Math.min(...bars.map(({ fromUs }) => fromUs)),
    Math.max(...bars.map(({ toUs }) => toUs)),
  );
  const height = TOP + Math.max(1, measured.length) * PANEL;
  const title = `${profile.name} ${profile.version}: latency of one call at a time`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escape(title)}">`,
    `<style>${STYLE}</style>`,
    text(LEFT, 26, title, 'font-size="16" font-weight="600"'),
    measured.length === 0 ? text(LEFT, TOP + 30, 'no call was answered', 'font-size="13"') : '',
    ...measured.map((hook, index) => panel(hook, TOP + index * PANEL, scale)),
    '</svg>\n',
  ].join('\n');
}

function panel(hook: HookProfile & LatencySummary, top: number, scale: LogScale): string {
  const base = top + TITLE_SPACE + BARS_HEIGHT;
  const most = Math.max(...hook.bars.map(({ calls }) => calls));
  const bars = hook.bars
    .filter(({ calls }) => calls > 0)
    .map(({ fromUs, toUs, calls }) => {
      // A rare call is what one looks for: it is drawn a pixel high at least.
      const height = Math.max(1, (calls / most) * BARS_HEIGHT);
      const [from, to] = [scale.x(fromUs), scale.x(toUs)];
      const label = `${calls} calls from ${duration(fromUs)} to ${duration(toUs)}`;
      return `<rect class="bar" x="${fixed(from)}" y="${fixed(base - height)}" width="${fixed(to - from - 1)}" height="${fixed(height)}"><title>${label}</title></rect>`;
    });
  const marks = (
    [
      ['p50', hook.p50Us],
      ['p99', hook.p99Us],
      ['p99.9', hook.p999Us],
    ] as const
  ).map(([label, us], index) => mark(label, us, base, index, scale));
  const speed =
    hook.load === null
      ? ''
      : `, ${Math.round(hook.load.callsPerSecond).toLocaleString('en-US')} calls/s under load`;
  return [
    text(
      LEFT,
      top + 14,
      `${hook.hook}: ${hook.calls.toLocaleString('en-US')} calls${speed}`,
      'font-size="13" font-weight="600"',
    ),
    ...bars,
    `<line class="line" x1="${LEFT}" y1="${base}" x2="${WIDTH - LEFT}" y2="${base}"/>`,
    ...scale
      .ticks()
      .map((us) => text(scale.x(us), base + 16, duration(us), 'font-size="11" text-anchor="middle"')),
    ...marks,
  ].join('\n');
}

function mark(label: string, us: number, base: number, index: number, scale: LogScale): string {
  const x = fixed(scale.x(us));
  const y = base - BARS_HEIGHT + index * 13;
  return [
    `<line class="mark" x1="${x}" y1="${y}" x2="${x}" y2="${base}" stroke-dasharray="3 3"/>`,
    text(scale.x(us) + 4, y + 9, `${label} ${duration(us)}`, 'font-size="11" class="mark-text"'),
  ].join('\n');
}

class LogScale {
  constructor(
    private readonly from: number,
    private readonly to: number,
  ) {}

  x(value: number): number {
    const share = Math.log10(value / this.from) / Math.log10(this.to / this.from);
    return LEFT + share * (WIDTH - 2 * LEFT);
  }

  /** Powers of ten within the scale. */
  ticks(): number[] {
    const first = Math.ceil(Math.log10(this.from) - 1e-9);
    const last = Math.floor(Math.log10(this.to) + 1e-9);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => 10 ** (first + index));
  }
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" ${FONT} ${attributes}>${escape(content)}</text>`;
}

const fixed = (value: number): string => value.toFixed(1);

function escape(content: string): string {
  return content.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
