/** A shorter prefix is too ambiguous. */
const ABBREVIATION_MIN = 3;

/** The candidate that a mistyped word most likely means, or undefined when none is close. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const allowed = Math.max(1, Math.floor(candidate.length / 3));
    if (Math.abs(candidate.length - word.length) > allowed) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance <= allowed && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? uniqueByPrefix(word, candidates);
}

/** Matches `prod` with `production`, and `warning` with `warn`, if only one candidate has such a prefix. */
function uniqueByPrefix(word: string, candidates: readonly string[]): string | undefined {
  const begins = (one: string, other: string): boolean =>
    other.length >= ABBREVIATION_MIN && one.toLowerCase().startsWith(other.toLowerCase());
  const alike = candidates.filter((candidate) => begins(candidate, word) || begins(word, candidate));
  return alike.length === 1 ? alike[0] : undefined;
}

/**
 * Damerau-Levenshtein distance in its optimal string alignment form: each insertion, deletion, substitution
 * and swap of neighbours counts as one.
 * @internal exported for its test
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let distance = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        distance = Math.min(distance, at(beforeLast, column - 2) + 1);
      }
      current.push(distance);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

const at = (row: readonly number[], column: number): number => row[column] ?? Infinity;
