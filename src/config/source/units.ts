/** Conversion of durations, sizes and percentages between the texts of the file and whole numbers. */

type Units = readonly (readonly [unit: string, factor: number])[];

/** Ascending. */
const DURATION_UNITS: Units = [
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
];

/** Ascending within each of the two families. K and k both mean 1000. */
const SIZE_UNITS: Units = [
  ['B', 1],
  ['kB', 1e3],
  ['KB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
  ['KiB', 1024],
  ['MiB', 1024 ** 2],
  ['GiB', 1024 ** 3],
];

const PERCENTAGE_UNITS: Units = [['%', 1]];

/**
 * Converts "100ms", "5s", "1m", "1h" or a number of milliseconds to milliseconds. The schema has validated
 * it.
 */
export const parseDuration = (value: string | number): number => parse(value, DURATION_UNITS);

/** Converts "64KiB", "8MB" or a number of bytes to bytes. The schema has validated the value. */
export const parseSize = (value: string | number): number => parse(value, SIZE_UNITS);

/** Converts "20%" or a number of percent to a number. The schema has validated the value. */
export const parsePercentage = (value: string | number): number => parse(value, PERCENTAGE_UNITS);

/**
 * Whole milliseconds in the largest unit that divides them.
 * @internal exported for its test
 */
export const formatDuration = (milliseconds: number): string => format(milliseconds, DURATION_UNITS);

/** Whole bytes in the largest unit that divides them. */
export const formatSize = (bytes: number): string => format(bytes, SIZE_UNITS);

function parse(value: string | number, units: Units): number {
  if (typeof value === 'number') return value;
  const digits = /^[0-9]+/.exec(value)?.[0] ?? '';
  const factor = units.find(([unit]) => unit === value.slice(digits.length))?.[1];
  if (digits === '' || factor === undefined) throw new RangeError(`${value} has no known unit`);
  return Number(digits) * factor;
}

function format(amount: number, units: Units): string {
  const [unit, factor] = units.reduce((best, candidate) =>
    amount !== 0 && amount % candidate[1] === 0 && candidate[1] > best[1] ? candidate : best,
  );
  return `${amount / factor}${unit}`;
}
