import { number } from './table.mjs';

const WIDTH = 840;
const LABEL_WIDTH = 350;
const VALUE_WIDTH = 90;
const ROW = 26;
const BAR = 14;
const TOP = 44;
const FONT = 'font-family="system-ui, sans-serif" font-size="13"';

/**
 * A bar for each peer, as SVG that reads on light and dark pages; a thin line shows the spread.
 * @param result with `chart: { key, title, scale }`; on scale 'log' each decade has the same length
 */
export function renderChart({ chart, peers }) {
  const bars = peers.filter(({ summary }) => summary?.[chart.key] !== undefined);
  const values = bars.map(({ summary }) => summary[chart.key]);
  const x = scaleFor(chart.scale, values);
  const height = TOP + bars.length * ROW + 10;
  const rows = bars.map(({ name }, index) => renderBar(name, values[index], TOP + index * ROW, x));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escape(chart.title)}">`,
    `<style>text { fill: #1f2328 } rect { fill: #6b7f99 } .own { fill: #2f6f4f } line { stroke: #1f2328 }`,
    `@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .own { fill: #57b482 } line { stroke: #e6edf3 } }</style>`,
    `<text x="0" y="20" ${FONT} font-weight="600">${escape(title(chart))}</text>`,
    ...rows,
    '</svg>\n',
  ].join('\n');
}

function title({ title: text, scale }) {
  return scale === 'log' ? `${text}; logarithmic scale` : text;
}

function scaleFor(scale, values) {
  const room = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
  const largest = Math.max(...values.map(({ max }) => max));
  if (scale !== 'log') return (value) => (Math.max(0, value) / largest) * room;
  const floor = Math.floor(Math.log10(Math.min(...values.map(({ min }) => min))));
  const decades = Math.log10(largest) - floor;
  return (value) => ((Math.log10(value) - floor) / decades) * room;
}

function renderBar(name, { median, min, max }, top, x) {
  const middle = top + BAR / 2;
  const own = name.startsWith('Backworks') ? ' class="own"' : '';
  const fixed = (value) => value.toFixed(1);
  return [
    `<text x="${LABEL_WIDTH - 8}" y="${middle + 4}" ${FONT} text-anchor="end">${escape(name)}</text>`,
    `<rect${own} x="${LABEL_WIDTH}" y="${top}" width="${fixed(x(median))}" height="${BAR}" rx="2"/>`,
    `<line x1="${fixed(LABEL_WIDTH + x(min))}" y1="${middle}" x2="${fixed(LABEL_WIDTH + x(max))}" y2="${middle}"/>`,
    `<text x="${fixed(LABEL_WIDTH + x(max) + 8)}" y="${middle + 4}" ${FONT}>${number(median)}</text>`,
  ].join('\n');
}

function escape(text) {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
