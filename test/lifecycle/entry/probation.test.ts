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
    ['that does as well as the one before', {}, {}, null],
    ['with as many crashes as allowed', { crashes: 1 }, {}, null],
    [
      'with one crash too many, and no call',
      { calls: 0, crashes: 2 },
      {},
      /^2 of its processes failed, 1 may$/,
    ],
    ['with as many errors as allowed', { failed: 10 }, {}, null],
    ['with too many errors', { failed: 11 }, {}, /^11% of 100 calls failed, 0% before, 10% may$/],
    ['with too many errors, as before', { failed: 50 }, { failed: 50 }, null],
    ['with too many errors, more than before', { failed: 51 }, { failed: 50 }, /51% .* 50% before/],
    [
      'with too many errors where nothing was called before',
      { failed: 11 },
      { calls: 0 },
      /11% of 100 calls failed, 10%/,
    ],
    ['with errors in too few calls to tell', { calls: 19, failed: 19 }, {}, null],
    ['as slow as allowed', { busyMs: 3000 }, {}, null],
    ['that is too slow', { busyMs: 3100 }, {}, /^a call takes 31 ms, 10 ms before, 300% of it may$/],
    ['that is slow by less than anybody notices', { busyMs: 500 }, { busyMs: 10 }, null],
    ['that is slow where too little was called before', { busyMs: 3100 }, { calls: 19, busyMs: 190 }, null],
  ])('%s', (_case, now, former, expected) => {
    const reason = verdict(rules, callStats(now), callStats(former));
    if (expected === null) expect(reason).toBeNull();
    else expect(reason).toMatch(expected);
  });

  test('of which no latency is asked may be slow', () => {
    expect(verdict({ ...rules, maxLatencyPercent: 0 }, callStats({ busyMs: 1e9 }), callStats())).toBeNull();
  });

  test('is judged by what happened since', () => {
    const start = callStats({ calls: 5, failed: 5, busyMs: 5, crashes: 5 });
    expect(since(start, callStats({ calls: 6, failed: 7, busyMs: 8, crashes: 9 }))).toEqual({
      calls: 1,
      failed: 2,
      busyMs: 3,
      crashes: 4,
    });
  });
});
