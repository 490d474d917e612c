import { number } from './number.mjs';
import { scaleOf } from './scale.mjs';
import { fixed, line, page, text, WIDTH } from './svg.mjs';

const LABELS_MIN = 220;
/** Width of a bold letter of a name. */
const LETTER = 8.2;
const VALUES = 90;
const ROW = 28;
const BAR = 16;
const TOP = 70;
const AXIS = 34;
/** The maximum length of a spread line, relative to the longest bar. */
const SPREAD_MAX = 1.4;

/**
 * Draws a bar for each peer. A thin line shows the spread.
 * @param chart `{ key, title, unit, better: 'less' | 'more', scale: 'log' }`; without a scale, linear
 */
export function barChart({ key, title, unit, better, scale }, peers) {
  const bars = peers.filter(({ summary }) => summary?.[key] !== undefined);
  const figures = bars.map(({ summary }) => summary[key]);
  const labels = Math.max(LABELS_MIN, 30 + Math.max(...bars.map(({ name }) => name.length)) * LETTER);
  // One bad round must not make everything else small, so its line is cut at the edge.
  const most = scale === 'log' ? Infinity : SPREAD_MAX * Math.max(...figures.map(({ median }) => median));
  const { at, ticks } = scaleOf(
    scale,
    figures.flatMap(({ min, max }) => [min, Math.min(max, most)]),
  );
  const x = (value) => labels + Math.min(1, at(value)) * (WIDTH - labels - VALUES);
  const bottom = TOP + bars.length * ROW;
  const grid = ticks.flatMap((tick) => [
    line('grid', x(tick), TOP - 6, x(tick), bottom),
    text(x(tick), bottom + 16, number(tick), { className: 'dim', size: 11, anchor: 'middle' }),
  ]);
  const rows = bars.flatMap(({ name }, index) =>
    bar(name, figures[index], { top: TOP + index * ROW, left: labels, x }),
  );
  const note = `${unit}, ${better} is better${scale === 'log' ? '; logarithmic' : ''}. Median of the rounds; the line: smallest to largest`;
  return page({ title, note, height: bottom + AXIS }, [...grid, ...rows]);
}

function bar(name, { median, min, max }, { top, left, x }) {
  const middle = top + BAR / 2;
  const own = name.startsWith('Backworks');
  const width = fixed(Math.max(1, x(median) - left));
  return [
    text(left - 10, middle + 4.5, name, { anchor: 'end', weight: own ? 600 : 400 }),
    `<rect class="${own ? 'own' : 'bar'}" x="${fixed(left)}" y="${top}" width="${width}" height="${BAR}" rx="2"/>`,
    line('spread', x(min), middle, x(max), middle),
    line('spread', x(min), middle - 3, x(min), middle + 3),
    line('spread', x(max), middle - 3, x(max), middle + 3),
    text(x(max) + 8, middle + 4.5, number(median)),
  ];
}
