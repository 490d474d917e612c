import type { CallStats } from '../../plugins/call-stats.js';
import type { SwapPolicy } from '../../config/types.js';

/** Below this a difference in latency is noise, whatever its factor. */
const LATENCY_STEP_MS = 5;

/**
 * What is wrong with a version, by the rules of its probation; null when nothing is. Going back must
 * help: the former version has to have done better.
 * @param now of the new version, since its beginning
 * @param former of the version before
 */
export function verdict(rules: SwapPolicy['probation'], now: CallStats, former: CallStats): string | null {
  const { maxCrashes, maxErrorPercent, maxLatencyPercent, minCalls } = rules;
  if (now.crashes > maxCrashes) return `${now.crashes} of its processes failed, ${maxCrashes} may`;
  if (now.calls < minCalls) return null;
  const [errors, formerErrors] = [errorPercent(now), errorPercent(former)];
  if (errors > maxErrorPercent && errors > formerErrors) {
    const before = former.calls === 0 ? '' : `, ${round(formerErrors)}% before`;
    return `${round(errors)}% of ${now.calls} calls failed${before}, ${maxErrorPercent}% may`;
  }
  if (maxLatencyPercent === 0 || former.calls < minCalls) return null;
  const [mean, formerMean] = [now.busyMs / now.calls, former.busyMs / former.calls];
  if (mean <= formerMean * (maxLatencyPercent / 100) || mean - formerMean < LATENCY_STEP_MS) return null;
  return `a call takes ${round(mean)} ms, ${round(formerMean)} ms before, ${maxLatencyPercent}% of it may`;
}

function errorPercent({ calls, failed }: CallStats): number {
  return calls === 0 ? 0 : (failed / calls) * 100;
}

const round = (value: number): number => Math.round(value * 100) / 100;
