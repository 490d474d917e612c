/**
 * Converts figures to positions on an axis.
 * @param kind 'linear', which begins at 0, or 'log', where each decade has the same length
 * @returns `{ at(value), ticks }`, both from 0 to 1
 */
export function scaleOf(kind, values) {
  return kind === 'log' ? logarithmic(values) : linear(values);
}

function linear(values) {
  const largest = Math.max(...values, Number.MIN_VALUE);
  const step = niceStep(largest / 5);
  const top = Math.ceil(largest / step - 1e-9) * step;
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, index) => index * step);
  return { at: (value) => Math.max(0, value) / top, ticks };
}

/** Whole decades, so that the start of a bar is a round number. */
function logarithmic(values) {
  const positive = values.filter((value) => value > 0);
  const first = Math.floor(Math.log10(Math.min(...positive)) + 1e-9);
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...positive)) - 1e-9));
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
  const at = (value) => (Math.log10(Math.max(value, 10 ** first)) - first) / (last - first);
  return { at, ticks };
}

/** Logarithmic, from the smallest to the largest value. */
export function exactLog(values) {
  const [first, last] = [Math.log10(Math.min(...values)), Math.log10(Math.max(...values))];
  return (value) => (Math.log10(value) - first) / (last - first || 1);
}

function niceStep(rough) {
  const decade = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 2.5, 5, 10].map((factor) => factor * decade).find((step) => step >= rough);
}
