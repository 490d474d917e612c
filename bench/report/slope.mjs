import { number } from './table.mjs';

/**
 * How a figure grows, as a sentence: the slope of the line through the medians (least squares).
 * @param slope `{ key, text, at }`, where `at` has the place of each peer
 * @returns null where the figure was not measured
 */
export function renderSlope({ slope, peers }) {
  const points = peers.flatMap(({ name, summary }) =>
    summary?.[slope.key] === undefined ? [] : [{ x: slope.at[name], y: summary[slope.key].median }],
  );
  if (points.length < 2) return null;
  const mean = (of) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
  const spread = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
  const rise = points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0);
  return slope.text(number(rise / spread));
}
