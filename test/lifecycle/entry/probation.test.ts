import { describe, expect, test } from '@jest/globals';
import { verdict } from '../../../dist/lifecycle/entry/probation.js';
import { since, type CallStats } from '../../../dist/plugins/call-stats.js';

const rules = {
  durationMs: 60_000,
  maxErrorPercent: 10,
  maxLatencyPercent: 300,
  maxCrashes: 1,
  minCalls: 20,
};
const callStats = (values: Partial<CallStats> = {}): CallStats => ({
  calls: 100,
  failed: 0,
  busyMs: 1000,
  crashes: 0,
  ...values,
});

describe('a version', () => {
  test.each<[string, Partial<CallStats>, Partial<CallStats>, RegExp | null]>([
    ['that does as well as the former one passes', {}, {}, null],
    ['with the allowed number of crashes passes', { crashes: 1 }, {}, null],
    [
      'with one crash too many fails, even without calls',
      { calls: 0, crashes: 2 },
      {},
      /^2 of its processes failed \(allowed: 1\)$/,
    ],
    ['with the allowed share of errors passes', { failed: 10 }, {}, null],
    [
      'with too many errors fails',
      { failed: 11 },
      {},
      /^11% of 100 calls failed \(before: 0%, allowed: 10%\)$/,
    ],
    ['with too many errors passes if the former one had as many', { failed: 50 }, { failed: 50 }, null],
    ['with more errors than the former one fails', { failed: 51 }, { failed: 50 }, /51% .* before: 50%/],
    [
      'with too many errors fails if the former one had no calls',
      { failed: 11 },
      { calls: 0 },
      /11% of 100 calls failed \(allowed: 10%\)/,
    ],
    ['with errors in too few calls passes', { calls: 19, failed: 19 }, {}, null],
    ['with the allowed latency passes', { busyMs: 3000 }, {}, null],
    [
      'that is too slow fails',
      { busyMs: 3100 },
      {},
      /^a call takes 31 ms \(before: 10 ms, allowed: 300% of that\)$/,
    ],
    ['that is slower by less than 5 ms passes', { busyMs: 500 }, { busyMs: 10 }, null],
    [
      'that is slow passes if the former one had too few calls',
      { busyMs: 3100 },
      { calls: 19, busyMs: 190 },
      null,
    ],
  ])('%s', (_case, now, former, expected) => {
    const reason = verdict(rules, callStats(now), callStats(former));
    if (expected === null) expect(reason).toBeNull();
    else expect(reason).toMatch(expected);
  });

  test('may be slow if max_latency is 0', () => {
    expect(verdict({ ...rules, maxLatencyPercent: 0 }, callStats({ busyMs: 1e9 }), callStats())).toBeNull();
  });

  test('is judged only by the calls since the start of the trial', () => {
    const start = callStats({ calls: 5, failed: 5, busyMs: 5, crashes: 5 });
    expect(since(start, callStats({ calls: 6, failed: 7, busyMs: 8, crashes: 9 }))).toEqual({
      calls: 1,
      failed: 2,
      busyMs: 3,
      crashes: 4,
    });
  });
});
