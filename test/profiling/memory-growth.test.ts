import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { memoryGrowth, type MemorySample } from '../../dist/profiling/memory-growth.js';

const MIB = 1024 ** 2;
const sample = (calls: number, residentBytes: number, processes = 1, early = false): MemorySample => ({
  calls,
  residentBytes,
  processes,
  early,
});
const run = (bytesAt: (calls: number) => number) =>
  memoryGrowth(Array.from({ length: 40 }, (_, index) => sample(index * 1000, bytesAt(index * 1000))));

test('a plugin that keeps 100 bytes of every call grows by 100 kB in 1,000 calls', () => {
  const growth = run((calls) => 2 * MIB + calls * 100);
  expect(growth?.bytesPer1000Calls).toBeCloseTo(100_000);
  expect(growth?.grows).toBe(true);
});

test('memory that stays constant, grows once at the beginning, or comes and goes is not reported as growth', () => {
  expect(run(() => 2 * MIB)).toEqual({ bytesPer1000Calls: 0, grows: false });
  expect(run((calls) => (calls < 5000 ? 2 * MIB : 9 * MIB))?.grows).toBe(false);
  expect(run((calls) => 4 * MIB + (calls % 2000 === 0 ? MIB : 0))?.grows).toBe(false);
});

test('a leak is reported although its processes are replaced at the limit and memory falls in between', () => {
  const teeth = (bytesPerCall: number) =>
    Array.from({ length: 60 }, (_, index) => {
      const life = index % 6;
      return sample(index * 40, 2 * MIB + life * 40 * bytesPerCall, Math.floor(index / 6), true);
    });
  const growth = memoryGrowth(teeth(MIB));
  expect(growth?.grows).toBe(true);
  expect(growth?.bytesPer1000Calls).toBeCloseTo(1000 * MIB, -3);
  // The start-up memory of processes that crash early is not a leak.
  expect(memoryGrowth(teeth(2048))?.grows).toBe(false);
});

test('too few samples give no result', () => {
  expect(memoryGrowth([])).toBeNull();
  expect(memoryGrowth([sample(1, 1)])).toBeNull();
});

test('the slope is that of the line through the samples, for any line', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 1, max: MIB }), (slope, start) => {
      expect(run((calls) => start + slope * calls)?.bytesPer1000Calls).toBeCloseTo(slope * 1000, 2);
    }),
  );
});
