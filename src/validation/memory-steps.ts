/** Memory is judged by this many parts of the newer half of the steps. */
const PARTS = 4;
/** Growth below this from part to part is noise: single pages. */
const NOISE_BYTES = 2 * 4096;

/**
 * Judges memory that was measured after equal numbers of calls. The first half does not count: caches fill and
 * arenas grow. In the second half a leak makes every part larger than the one before.
 * @param steps bytes, oldest first
 * @returns bytes per step; null when the memory does not keep growing
 */
export function steadyGrowth(steps: readonly number[]): number | null {
  const half = steps.slice(Math.floor(steps.length / 2));
  if (half.length < PARTS) return null;
  const size = half.length / PARTS;
  const means = Array.from({ length: PARTS }, (_, part) =>
    mean(half.slice(Math.round(part * size), Math.round((part + 1) * size))),
  );
  const grows = means.every((bytes, part) => part === 0 || bytes > (means[part - 1] ?? 0) + NOISE_BYTES);
  const first = half[0] ?? 0;
  const last = half.at(-1) ?? 0;
  return grows && last > first ? (last - first) / (half.length - 1) : null;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
