import { spread } from './statistics.mjs';

/**
 * Measures peers in turns: every round measures each of them once, beginning with another one each
 * time, so that a slow minute of the machine meets all of them.
 * @param peers `{ name, missing }` for one that cannot run here, else `{ name, measure }`, where
 *   `measure()` resolves to numbers by metric key
 * @returns the peers in their order, with `rounds`: the list of what each round measured
 */
export async function alternate(peers, rounds, onProgress = () => {}) {
  const present = peers.filter(({ missing }) => missing === undefined);
  const measured = new Map(present.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < present.length; turn++) {
      const peer = present[(turn + round) % present.length];
      onProgress(`round ${round + 1} of ${rounds}: ${peer.name}`);
      measured.get(peer.name).push(await peer.measure());
    }
  }
  return peers.map(({ name, missing }) =>
    missing === undefined ? { name, rounds: measured.get(name) } : { name, missing },
  );
}

/**
 * Sums rounds up. A comparison is made within each round and only then summed up: what one round did
 * to both peers cancels out.
 * @param metrics `{ key, compare }`; `compare`, when there, is `{ by: 'ratio' | 'difference', to: peer }`
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
      const others = valuesOf(
        peers.find(({ name }) => name === compare.to),
        key,
      );
      if (others === null) continue;
      summary[key].compared = spread(values.map((value, i) => COMPARISONS[compare.by](value, others[i])));
    }
    return { ...peer, summary };
  });
}

/** A metric round by round; null when the peer was not measured or has no such metric. */
function valuesOf(peer, key) {
  const values = peer?.rounds?.map((round) => round[key] ?? null);
  return values === undefined || values.includes(null) ? null : values;
}

const COMPARISONS = {
  ratio: (value, other) => value / other,
  difference: (value, other) => value - other,
};
