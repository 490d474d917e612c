import { expect, test } from '@jest/globals';
import { METRICS_PER_SECOND_MAX, MetricReader } from '../../../dist/native/runner/metric-reader.js';

function metric(name: string, delta: number): Buffer {
  const payload = Buffer.alloc(8 + name.length, name, 'latin1');
  payload.writeDoubleLE(delta);
  payload.write(name, 8);
  return payload;
}

test('a metric is read, and one without a name is an error', () => {
  const reader = new MetricReader();
  expect(reader.read(metric('hits', 2.5))).toEqual({ name: 'hits', delta: 2.5 });
  expect(() => reader.read(metric('', 1))).toThrow(/without a name/);
});

test('what a busy plugin counts is read; a flood is an error', () => {
  const reader = new MetricReader();
  const payload = metric('hits', 1);
  for (let frame = 0; frame < 10_000; frame++) reader.read(payload);
  expect(() => {
    // Twice as many: a second may end on the way.
    for (let frame = 0; frame < 2 * METRICS_PER_SECOND_MAX; frame++) reader.read(payload);
  }).toThrow(/more than 200000 METRIC frames in a second/);
});
