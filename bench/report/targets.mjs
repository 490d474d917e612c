import { compareRounds } from '../measure.mjs';
import { TARGETS } from '../targets.mjs';
import { number, withSpread } from './number.mjs';
import { markdownTable } from './table.mjs';

/**
 * The targets beside what was measured, and a line for each that was missed.
 * @param results as written to bench/results
 */
export function renderTargets(results, targets = TARGETS) {
  const judged = targets.map((target) => ({ target, figure: figureOf(target, results) }));
  const rows = judged.map(({ target, figure }) => [
    target.what,
    target.atMost === undefined ? `≥ ${number(target.atLeast)}` : `≤ ${number(target.atMost)}`,
    figure === null ? 'not measured' : withSpread(figure),
    figure === null ? '–' : isReached(target, figure) ? 'yes' : '**no**',
  ]);
  const missed = judged.filter(({ target, figure }) => figure !== null && !isReached(target, figure));
  const reasons = missed.map(
    ({ target }) => `- *${target.what}*: ${target.why}${besideText(target, results)}`,
  );
  const heading = missed.length === 0 ? [] : ['', 'Missed:', '', ...reasons];
  const note = 'Median of the rounds (smallest–largest), from the tables of the scenarios below.';
  return [...markdownTable(['target', 'asked', 'measured', 'reached'], rows), '', note, ...heading].join(
    '\n',
  );
}

function besideText({ beside, scenario, peer, key }, results) {
  const figure =
    beside === undefined ? null : figureOf({ scenario, peer, key, by: 'ratio', to: beside }, results);
  return figure === null ? '' : ` ÷ ${beside}: ${withSpread(figure)}.`;
}

/** Judged by the median. */
function isReached({ atMost = Infinity, atLeast = -Infinity }, { median }) {
  return median <= atMost && median >= atLeast;
}

/** Median and spread of what a target is about; null when that was not measured. */
function figureOf({ scenario, peer, key, by, to, slope }, results) {
  const result = results.find(({ name }) => name === scenario);
  if (result === undefined) return null;
  if (slope !== undefined) return result.slopes?.[slope]?.figure ?? null;
  if (to !== undefined) return compareRounds(result.peers, { peer, key, by, to });
  return result.peers.find(({ name }) => name === peer)?.summary?.[key] ?? null;
}
