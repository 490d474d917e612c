import { spread } from './statistics.mjs';

/**
 * Measures peers in turns. Every round measures each peer once and begins with a different peer, so a slow
 * minute of the machine affects all of them. If a measurement has parts, a round goes through them part by
 * part, so values that are compared are measured within seconds of each other.
 * @param peers `{ name, missing }` for a peer that cannot run here, else `{ name, measure }`. `measure()`
 *   resolves to numbers by metric key. It can also be a list of such functions, of the same length for all
 *   peers.
 * @param onTurn called before each turn. An exception from it stops the measurement.
 * @returns the peers in their order, with `rounds`: the results of each round
 */
export async function alternate(peers, rounds, onTurn = () => {}) {
  const present = peers.filter(({ missing }) => missing === undefined);
  const parts = present.map(({ measure }) => [measure].flat());
  const measured = new Map(present.map(({ name }) => [name, []]));
  const all = rounds * parts.reduce((sum, list) => sum + list.length, 0);
  let done = 0;
  for (let round = 0; round < rounds; round++) {
    for (let part = 0; part < (parts[0]?.length ?? 0); part++) {
      for (let turn = 0; turn < present.length; turn++) {
        const index = (turn + round) % present.length;
        const { name } = present[index];
        onTurn({ done, all, text: `round ${round + 1} of ${rounds}: ${name}` });
        const figures = measured.get(name);
        figures[round] = { ...figures[round], ...(await parts[index][part]()) };
        done += 1;
      }
    }
  }
  return peers.map(({ name, missing }) =>
    missing === undefined ? { name, rounds: measured.get(name) } : { name, missing },
  );
}

/**
 * Summarizes rounds. A comparison is made within each round before it is summarized, so that a disturbance of
 * one round, which affects both peers, cancels out.
 * @param metrics `{ key, compare }`. `compare` is optional: `{ by: 'ratio' | 'difference', to: peer }`.
 */
export function summarize(peers, metrics) {
  return peers.map((peer) => {
    if (peer.missing !== undefined) return peer;
    const summary = {};
    for (const { key, compare } of metrics) {
      const values = valuesOf(peer, key);
      if (values === null) continue;
      summary[key] = spread(values);
      if (compare === undefined || compare.to === peer.name) continue;
      const compared = compareRounds(peers, { ...compare, peer: peer.name, key });
      if (compared !== null) summary[key].compared = compared;
    }
    return { ...peer, summary };
  });
}

/**
 * Compares one peer with another, round by round.
 * @returns median and spread; null if one of them was not measured or served nothing in some round
 */
export function compareRounds(peers, { peer, key, by, to }) {
  const [values, others] = [peer, to].map((wanted) =>
    valuesOf(
      peers.find(({ name }) => name === wanted),
      key,
    ),
  );
  if (values === null || others === null) return null;
  const compared = values.map((value, round) => COMPARISONS[by](value, others[round]));
  return compared.every(Number.isFinite) ? spread(compared) : null;
}

/** A metric, round by round. Null if the peer was not measured or has no such metric. */
export function valuesOf(peer, key) {
  const values = peer?.rounds?.map((round) => round[key] ?? null);
  return values === undefined || values.includes(null) ? null : values;
}

const COMPARISONS = {
  ratio: (value, other) => value / other,
  difference: (value, other) => value - other,
};
