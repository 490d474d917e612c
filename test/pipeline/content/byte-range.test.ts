import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { byteRange } from '../../../dist/pipeline/content/byte-range.js';

test.each<[header: string | undefined, expected: unknown]>([
  [undefined, null],
  ['bytes=0-0', { first: 0, last: 0 }],
  ['bytes=2-5', { first: 2, last: 5 }],
  ['bytes=2-', { first: 2, last: 9 }],
  ['Bytes= 2-99 ', { first: 2, last: 9 }],
  ['bytes=-3', { first: 7, last: 9 }],
  ['bytes=-99', { first: 0, last: 9 }],
  [`bytes=2-${'9'.repeat(400)}`, { first: 2, last: 9 }],
  ['bytes=10-', 'unsatisfiable'],
  [`bytes=${'9'.repeat(400)}-`, 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=5-2', null],
  ['bytes=0-1,3-4', null],
  ['bytes=-', null],
  ['bytes=a-b', null],
  ['bytes=--1', null],
  ['bytes=1.5-2', null],
  ['lines=0-1', null],
  ['bytes', null],
])('the range %j of ten bytes is %j', (header, expected) => {
  expect(byteRange(header, 10)).toEqual(expected);
});

test('a body without bytes has no range', () => {
  expect(byteRange('bytes=0-', 0)).toBe('unsatisfiable');
  expect(byteRange('bytes=-1', 0)).toBe('unsatisfiable');
});

test('a range lies within the body', () => {
  const limit = fc.option(fc.nat(200), { nil: '' as const });
  fc.assert(
    fc.property(limit, limit, fc.nat(100), (first, last, size) => {
      const range = byteRange(`bytes=${first}-${last}`, size);
      if (range === null || range === 'unsatisfiable') return true;
      return 0 <= range.first && range.first <= range.last && range.last < size;
    }),
  );
});
