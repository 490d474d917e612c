import type { CallStats } from '../../plugins/call-stats.js';
import type { SwapPolicy } from '../../config/types.js';

/** A smaller difference in latency is noise, whatever its factor. */
const LATENCY_STEP_MS = 5;

/**
 * Judges a new version by the rules of its probation. The version is blamed for errors and latency only if the
 * former version did better, because otherwise a rollback would not help.
 * @param now stats of the new version since its start
 * @param former stats of the former version
 * @returns why the new version fails, or null
 */
export function verdict(rules: SwapPolicy['probation'], now: CallStats, former: CallStats): string | null {
  const { maxCrashes, maxErrorPercent, maxLatencyPercent, minCalls } = rules;
  if (now.crashes > maxCrashes) return `${now.crashes} of its processes failed (allowed: ${maxCrashes})`;
  if (now.calls < minCalls) return null;
  const [errors, formerErrors] = [errorPercent(now), errorPercent(former)];
  if (errors > maxErrorPercent && errors > formerErrors) {
    const before = former.calls === 0 ? '' : `before: ${round(formerErrors)}%, `;
    return `${round(errors)}% of ${now.calls} calls failed (${before}allowed: ${maxErrorPercent}%)`;
  }
  if (maxLatencyPercent === 0 || former.calls < minCalls) return null;
  const [mean, formerMean] = [now.busyMs / now.calls, former.busyMs / former.calls];
  if (mean <= formerMean * (maxLatencyPercent / 100) || mean - formerMean < LATENCY_STEP_MS) return null;
  return `a call takes ${round(mean)} ms (before: ${round(formerMean)} ms, allowed: ${maxLatencyPercent}% of that)`;
}

function errorPercent({ calls, failed }: CallStats): number {
  return calls === 0 ? 0 : (failed / calls) * 100;
}

const round = (value: number): number => Math.round(value * 100) / 100;
