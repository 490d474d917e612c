import { valuesOf } from './measure.mjs';
import { spread } from './statistics.mjs';

/**
 * The growth of a figure: the slope of the line through its points (least squares), round by round.
 * @param points `{ x, peer, key }`. Points that were not measured are left out.
 * @returns median and spread; null with fewer than two points
 */
export function slopeOf(peers, points) {
  const measured = points.flatMap(({ x, peer, key }) => {
    const values = valuesOf(
      peers.find(({ name }) => name === peer),
      key,
    );
    return values === null ? [] : [{ x, values }];
  });
  if (measured.length < 2) return null;
  const rounds = measured[0].values.map((_, round) =>
    measured.map(({ x, values }) => ({ x, y: values[round] })),
  );
  return spread(rounds.map(leastSquares));
}

function leastSquares(points) {
  const mean = (of) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
  const width = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
  return points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0) / width;
}
