import type { StepTimes } from './step-times.js';

/** Who asked: somebody with the admin token, the command, a change of the file or the configuration, or nobody. */
export type SwapOrigin = 'admin' | 'cli' | 'watch' | 'reload' | 'auto';

/** swapped: `to` serves. rejected: `from` goes on. rolled_back: `to` serves, and `from` is not to come again. */
export type SwapOutcome = 'swapped' | 'rejected' | 'rolled_back';

/** A version of a plugin's library. */
export interface VersionName {
  /** SHA-256 of the library, in hexadecimal; null where it was not read. */
  readonly digest: string | null;
  /** As the library calls it; null where it did not come to that. */
  readonly version: string | null;
}

/** One attempt to put a version in the place of another. */
export interface SwapRecord {
  /** ISO 8601. */
  readonly time: string;
  readonly by: SwapOrigin;
  readonly outcome: SwapOutcome;
  readonly from: VersionName;
  readonly to: VersionName;
  readonly reason: string | null;
  /** Milliseconds by step: copy, start, health, canary, switch. */
  readonly steps: Readonly<Record<string, number>>;
}

export interface SwapDetails {
  readonly by: SwapOrigin;
  readonly reason: string | null;
  readonly steps?: StepTimes;
}

/** A record of what happens now. */
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

/** A record in words. */
export function sentence(plugin: string, { outcome, from, to, reason }: SwapRecord): string {
  const why = reason === null ? '' : `: ${reason}`;
  return `plugin ${plugin} ${OUTCOMES[outcome]} from ${named(from)} to ${named(to)}${why}`;
}

function named({ version, digest }: VersionName): string {
  const short = digest?.slice(0, 12);
  if (version === null) return short ?? 'nothing';
  return short === undefined ? version : `${version} (${short})`;
}
