import { describe, expect, test } from '@jest/globals';
import { BUSY_SAMPLES_MAX, IdleWatch } from '../../../dist/native/pool/idle-watch.js';
import type { PauseReading } from '../../../dist/native/runner/pause-meter.js';

/** One second of measurements: CPU time in all, length of the pauses, and CPU time in the pauses. */
function second(usedMs: number, pausedMs: number, usedInPausesMs: number): PauseReading {
  return { passedMs: 1000, usedMs, pausedMs, usedInPausesMs };
}

function verdicts(watch: IdleWatch, reading: PauseReading, samples = BUSY_SAMPLES_MAX): string[] {
  return Array.from({ length: samples }, () => watch.judge(reading, 20));
}

/** The clock of a thread that uses this much in each second. */
function thread(msPerSecond: number): () => number {
  let usedMs = 0;
  return () => (usedMs += msPerSecond);
}

describe('a process is replaced', () => {
  test.each([
    ['without any call', second(1000, 1000, 1000)],
    ['beside short calls', second(1100, 50, 50)],
    ['on two cores beside calls that use half a core', second(2500, 50, 100)],
  ])('that computes %s', (_what, reading) => {
    const seen = verdicts(new IdleWatch(thread(0)), reading);
    expect(seen.slice(0, -1)).not.toContain('replace');
    expect(seen.at(-1)).toBe('replace');
  });
});

describe('a process is left alone', () => {
  test.each([
    ['that uses less than the limit in its pauses', second(190, 1000, 190)],
    ['that computes only in its calls', second(1900, 50, 2)],
    ['whose garbage collector continues after its calls', second(800, 50, 20)],
  ])('%s', (_what, reading) => {
    expect(new Set(verdicts(new IdleWatch(thread(0)), reading, 30))).toEqual(new Set(['nothing']));
  });

  test('after one calm second in between', () => {
    const watch = new IdleWatch(thread(0));
    verdicts(watch, second(1000, 1000, 1000), BUSY_SAMPLES_MAX - 1);
    watch.judge(second(100, 1000, 100), 20);
    expect(verdicts(watch, second(1000, 1000, 1000), BUSY_SAMPLES_MAX - 1)).not.toContain('replace');
  });

  test('when any amount is allowed', () => {
    const watch = new IdleWatch(thread(0));
    expect(Array.from({ length: 20 }, () => watch.judge(second(2000, 1000, 2000), 0))).not.toContain(
      'replace',
    );
  });
});

describe('without pauses between calls', () => {
  const busy = second(1500, 0, 0);

  test('calls are held back when threads other than the call thread compute', () => {
    const watch = new IdleWatch(thread(500));
    expect(verdicts(watch, busy, 3)).toEqual(['hold', 'hold', 'hold']);
  });

  test('after a calm second, calls are held back only once in ten seconds', () => {
    const watch = new IdleWatch(thread(500));
    watch.judge(busy, 20);
    watch.judge(second(1500, 10, 0), 20);
    expect(verdicts(watch, busy, 9)).toEqual(Array(9).fill('nothing'));
    expect(watch.judge(busy, 20)).toBe('hold');
  });

  test('calls are not held back when the call thread used all the CPU time', () => {
    const watch = new IdleWatch(thread(950));
    watch.judge(second(960, 0, 0), 20);
    expect(verdicts(watch, second(960, 0, 0), 20)).toEqual(Array(20).fill('nothing'));
  });
});
