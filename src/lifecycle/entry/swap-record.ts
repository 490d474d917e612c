import type { StepTimes } from './step-times.js';

/**
 * Who caused a swap: the admin API, the command line, a watched library file, a reload, or the server itself after
 * a trial.
 */
export type SwapOrigin = 'admin' | 'cli' | 'watch' | 'reload' | 'auto';

/** swapped: `to` serves. rejected: `from` keeps serving. rolled_back: `to` serves, and `from` is refused later. */
export type SwapOutcome = 'swapped' | 'rejected' | 'rolled_back';

/** A version of a plugin's library. */
export interface VersionName {
  /** SHA-256 of the library, in hexadecimal; null if the library was not read. */
  readonly digest: string | null;
  /** The version in the library's metadata; null if the metadata was not read. */
  readonly version: string | null;
}

/** One attempt to replace a version by another. */
export interface SwapRecord {
  /** ISO 8601. */
  readonly time: string;
  readonly by: SwapOrigin;
  readonly outcome: SwapOutcome;
  readonly from: VersionName;
  readonly to: VersionName;
  readonly reason: string | null;
  /** Step (copy, start, health, canary, switch) → milliseconds. */
  readonly steps: Readonly<Record<string, number>>;
}

export interface SwapDetails {
  readonly by: SwapOrigin;
  readonly reason: string | null;
  readonly steps?: StepTimes;
}

/** Makes a record with the current time. */
export function recordOf(
  outcome: SwapOutcome,
  from: VersionName,
  to: VersionName,
  { by, reason, steps }: SwapDetails,
): SwapRecord {
  const time = new Date().toISOString();
  return { time, by, outcome, from, to, reason, steps: steps?.milliseconds ?? {} };
}

const OUTCOMES: Readonly<Record<SwapOutcome, string>> = {
  swapped: 'was swapped',
  rejected: 'was not swapped',
  rolled_back: 'was rolled back',
};

/** The record as a sentence for the log. */
export function sentence(plugin: string, { outcome, from, to, reason }: SwapRecord): string {
  const why = reason === null ? '' : `: ${reason}`;
  return `plugin ${plugin} ${OUTCOMES[outcome]} from ${named(from)} to ${named(to)}${why}`;
}

function named({ version, digest }: VersionName): string {
  const short = digest?.slice(0, 12);
  if (version === null) return short ?? 'nothing';
  return short === undefined ? version : `${version} (${short})`;
}
