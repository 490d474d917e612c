import { number } from './number.mjs';
import { exactLog, scaleOf } from './scale.mjs';
import { fixed, line, page, text, WIDTH } from './svg.mjs';

const HEIGHT = 400;
const LEFT = 90;
const RIGHT = 30;
/** Distance between points and the numbers of the y axis. */
const INSET = 24;
const TOP = 104;
const BOTTOM = 56;
/** The maximum height of a vertical line, relative to the highest point. */
const SPREAD_MAX = 1.4;
const LEGEND = 78;
const LETTER = 7.2;
/** Minimum space for a number at the x axis. */
const TICK_ROOM = 26;
const VALUE_ROOM = 50;
/** Below this height there is no space for a number under its point. */
const LOWEST = HEIGHT - BOTTOM - 22;

/**
 * Draws a line for each series, through the medians of its points. Thin vertical lines show the spread.
 * @param chart `{ title, unit, better, x: { label, scale }, scale, series }`; a series is
 *   `{ name, points: [{ x, peer, key }] }`, the first one in the colour of Backworks
 */
export function lineChart({ title, unit, better, x: axis, scale, series }, peers) {
  const lines = series.map(({ name, points }) => ({ name, points: measured(points, peers) }));
  const points = lines.flatMap((one) => one.points);
  const places = points.map(({ x }) => x);
  const across = axis.scale === 'log' ? exactLog(places) : scaleOf('linear', places).at;
  // One bad round must not make everything else small, so its line is cut at the edge.
  const most = scale === 'log' ? Infinity : SPREAD_MAX * Math.max(...points.map(({ median }) => median));
  const up = scaleOf(
    scale,
    points.flatMap(({ min, max }) => [min, Math.min(max, most)]),
  );
  const x = (value) => LEFT + INSET + across(value) * (WIDTH - LEFT - INSET - RIGHT);
  const y = (value) => HEIGHT - BOTTOM - Math.min(1, up.at(value)) * (HEIGHT - TOP - BOTTOM);
  const parts = [
    ...up.ticks.flatMap((tick) => [
      line('grid', LEFT, y(tick), WIDTH - RIGHT, y(tick)),
      text(LEFT - 8, y(tick) + 4, number(tick), { className: 'dim', size: 11, anchor: 'end' }),
    ]),
    ...xAxis(axis, points, x),
    ...legend(lines),
    ...lines.flatMap((one, index) => path(one.points, index, x, y)),
    ...values(points, x, y),
  ];
  const note = `${unit}, ${better} is better${scale === 'log' ? '; logarithmic' : ''}. Median of the rounds; upright lines: smallest to largest`;
  return page({ title, note, height: HEIGHT }, parts);
}

function measured(points, peers) {
  return points.flatMap(({ x, peer, key }) => {
    const figure = peers.find(({ name }) => name === peer)?.summary?.[key];
    return figure === undefined ? [] : [{ x, ...figure }];
  });
}

/** A number at each measured x value. */
function xAxis({ label, scale }, points, x) {
  const values = [...new Set(points.map((point) => point.x))].sort((a, b) => a - b);
  const place = { className: 'dim', size: 11, anchor: 'middle' };
  const ending = scale === 'log' ? ' (logarithmic)' : '';
  return [
    ...apart(values, x, TICK_ROOM).map((value) => text(x(value), HEIGHT - BOTTOM + 18, number(value), place)),
    ...values.map((value) => line('grid', x(value), HEIGHT - BOTTOM, x(value), HEIGHT - BOTTOM + 5)),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 40, label + ending, { ...place, size: 12 }),
  ];
}

/** The last number, and from the first on each number that fits next to the previous one. */
function apart(values, x, room) {
  const shown = [];
  for (const value of values) {
    if (shown.length === 0 || x(value) - x(shown.at(-1)) >= room) shown.push(value);
    else if (value === values.at(-1)) shown.splice(-1, 1, value);
  }
  return shown;
}

/** The medians. At each x value the highest is above its point, and the others are below if there is space. */
function values(points, x, y) {
  const places = [...new Set(points.map((point) => point.x))].sort((a, b) => a - b);
  return apart(places, x, VALUE_ROOM).flatMap((place) =>
    points
      .filter((point) => point.x === place)
      .sort((a, b) => b.median - a.median)
      .map(({ median }, rank) => {
        const { anchor, aside } = besideEdges(x(place));
        return text(
          x(place) + aside,
          y(median) + (rank === 0 || y(median) > LOWEST ? -10 : 19),
          number(median),
          {
            size: 11,
            anchor,
          },
        );
      }),
  );
}

/** Keeps numbers inside the drawing and away from the numbers of the y axis. */
function besideEdges(x) {
  if (x < LEFT + VALUE_ROOM / 2) return { anchor: 'start', aside: 5 };
  if (x > WIDTH - RIGHT - VALUE_ROOM / 2) return { anchor: 'end', aside: 4 };
  return { anchor: 'middle', aside: 0 };
}

function legend(lines) {
  let left = 20;
  return lines.flatMap(({ name }, index) => {
    const at = left;
    left += 26 + name.length * LETTER + 20;
    return [
      line(`s${index}`, at, LEGEND - 4, at + 18, LEGEND - 4, ' stroke-width="2.5"'),
      text(at + 24, LEGEND, name, { weight: index === 0 ? 600 : 400, size: 12 }),
    ];
  });
}

function path(points, index, x, y) {
  const corners = points.map((point) => `${fixed(x(point.x))},${fixed(y(point.median))}`).join(' ');
  return [
    `<polyline class="s${index}" style="fill: none" stroke-width="2.5" stroke-linejoin="round" points="${corners}"/>`,
    ...points.flatMap((point) => [
      line(`s${index}`, x(point.x), y(point.min), x(point.x), y(point.max), ' stroke-opacity="0.6"'),
      `<circle class="s${index}" cx="${fixed(x(point.x))}" cy="${fixed(y(point.median))}" r="4"/>`,
    ]),
  ];
}
