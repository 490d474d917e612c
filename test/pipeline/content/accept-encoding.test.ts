import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { acceptedCodings } from '../../../dist/pipeline/content/accept-encoding.js';

const OFFERED = ['br', 'gzip'] as const;
const firstCoding = (header: string | undefined, offered: readonly string[]): string | null =>
  acceptedCodings(header, offered)[0] ?? null;

describe('the content coding of an answer', () => {
  test.each([
    [undefined, null],
    ['', null],
    ['gzip', 'gzip'],
    ['gzip, br', 'br'],
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
    ['br;q=0.5, gzip;q=0.8', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['br ; q=0.001', 'br'],
    ['br;q=0, gzip;q=0', null],
    ['*', 'br'],
    ['*;q=0', null],
    ['*;q=0, gzip', 'gzip'],
    ['br;q=0, *', 'gzip'],
    ['identity', null],
    ['identity, gzip', 'gzip'],
    ['identity;q=1, gzip;q=0.5', null],
    ['identity;q=0, gzip;q=0.1', 'gzip'],
    ['identity;q=0', null],
    ['deflate, zstd', null],
    ['gzip;q=2', null],
    ['gzip;q=', null],
    ['gzip;level=9', null],
    ['br, gzip;q=x', 'br'],
    [',,gzip,,', 'gzip'],
  ])('for %j is %j', (header, expected) => {
    expect(firstCoding(header, OFFERED)).toBe(expected);
  });

  test('has others behind it, in case the first is not at hand', () => {
    expect(acceptedCodings('br;q=0.1, gzip, zstd;q=0.5, deflate', ['br', 'gzip', 'zstd'])).toEqual([
      'gzip',
      'zstd',
      'br',
    ]);
    expect(acceptedCodings('*', OFFERED)).toEqual(['br', 'gzip']);
  });

  test('is never one that the client excludes, and always one of the best weight', () => {
    const weight = fc.integer({ min: 0, max: 1000 }).map((thousandths) => thousandths / 1000);
    const weights = fc.dictionary(fc.constantFrom('br', 'gzip', 'zstd', 'identity', '*'), weight);
    fc.assert(
      fc.property(weights, (given) => {
        const header = Object.entries(given)
          .map(([coding, q]) => `${coding};q=${q}`)
          .join(', ');
        const chosen = firstCoding(header, OFFERED);
        const weightOf = (coding: string): number => given[coding] ?? given['*'] ?? 0;
        const best = Math.max(...OFFERED.map(weightOf));
        if (chosen === null) return best === 0 || best < (given['identity'] ?? 0);
        return weightOf(chosen) > 0 && weightOf(chosen) === best;
      }),
    );
  });

  test('is found in any header without an error', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (header) => {
        expect([null, ...OFFERED]).toContain(firstCoding(header, OFFERED));
      }),
    );
  });

  test('is found in a header of the greatest length at once', () => {
    for (const part of ['gzip;q=', ',', '\t', 'a', ';q=0.', '"'])
      expect(firstCoding(part.repeat(16_000 / part.length), OFFERED)).toBeNull();
  });
});
