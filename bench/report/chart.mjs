import { barChart } from './bar-chart.mjs';
import { lineChart } from './line-chart.mjs';

/** A chart as SVG that reads on light and dark pages: lines where it has series, else a bar for each peer. */
export function renderChart(chart, peers) {
  return chart.series === undefined ? barChart(chart, peers) : lineChart(chart, peers);
}
