import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderChart } from './chart.mjs';

/**
 * Writes <scenario>.json with every round, and <scenario>.svg.
 * @returns the result as written, with its figures rounded
 */
export function writeResult(folder, result) {
  const written = rounded(result);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${result.name}.json`), `${JSON.stringify(written, null, 2)}\n`);
  writeFileSync(join(folder, `${result.name}.svg`), renderChart(written));
  return written;
}

/** Six significant digits are more than a clock can tell. */
function rounded(value) {
  return JSON.parse(
    JSON.stringify(value, (_, item) => (typeof item === 'number' ? Number(item.toPrecision(6)) : item)),
  );
}
