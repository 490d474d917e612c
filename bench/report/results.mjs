import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderChart } from './chart.mjs';

/**
 * Writes <scenario>.json with every round, and its charts: <scenario>.svg, <scenario>-<name>.svg.
 * @returns the result as written, with its figures rounded
 */
export function writeResult(folder, result) {
  const written = rounded(result);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${result.name}.json`), `${JSON.stringify(written, null, 2)}\n`);
  drawCharts(folder, written);
  return written;
}

export function drawCharts(folder, { name, charts, peers }) {
  for (const chart of charts) {
    const file = chart.name === undefined ? name : `${name}-${chart.name}`;
    writeFileSync(join(folder, `${file}.svg`), renderChart(chart, peers));
  }
}

/** All existing results, as they were written. */
export function readResults(folder) {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')));
}

/** Six significant digits are more than a clock can measure. */
function rounded(value) {
  return JSON.parse(
    JSON.stringify(value, (_, item) => (typeof item === 'number' ? Number(item.toPrecision(6)) : item)),
  );
}
