import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { allowsRange, evaluateConditions } from '../../../dist/pipeline/content/conditions.js';
import { listsTag, weak } from '../../../dist/pipeline/content/entity-tag.js';
import { formatHttpDate, parseHttpDate } from '../../../dist/pipeline/content/http-date.js';

const MODIFIED = 'Sun, 06 Nov 1994 08:49:37 GMT';
const EARLIER = 'Sun, 06 Nov 1994 08:49:36 GMT';
const LATER = 'Sun, 06 Nov 1994 08:49:38 GMT';
const VALIDATORS = { etag: '"a"', lastModifiedMs: Date.parse(MODIFIED) };
const NONE = { etag: null, lastModifiedMs: null };

const reader = (headers: Record<string, string>) => (name: string) => headers[name];

describe('the conditions of a request', () => {
  test.each<[method: string, headers: Record<string, string>, result: string]>([
    ['GET', {}, 'send'],
    ['GET', { 'if-none-match': '"a"' }, 'unchanged'],
    ['HEAD', { 'if-none-match': '"b", W/"a"' }, 'unchanged'],
    ['GET', { 'if-none-match': '*' }, 'unchanged'],
    ['GET', { 'if-none-match': '"b"' }, 'send'],
    ['PUT', { 'if-none-match': '*' }, 'failed'],
    ['GET', { 'if-match': '"a"' }, 'send'],
    ['GET', { 'if-match': 'W/"a"' }, 'failed'],
    ['PUT', { 'if-match': '"b"' }, 'failed'],
    ['GET', { 'if-modified-since': MODIFIED }, 'unchanged'],
    ['GET', { 'if-modified-since': LATER }, 'unchanged'],
    ['GET', { 'if-modified-since': EARLIER }, 'send'],
    ['GET', { 'if-modified-since': 'yesterday' }, 'send'],
    ['POST', { 'if-modified-since': MODIFIED }, 'send'],
    ['GET', { 'if-unmodified-since': MODIFIED }, 'send'],
    ['GET', { 'if-unmodified-since': EARLIER }, 'failed'],
    // An entity tag is more precise than a date, so the date beside it is ignored.
    ['GET', { 'if-none-match': '"b"', 'if-modified-since': LATER }, 'send'],
    ['GET', { 'if-match': '"a"', 'if-unmodified-since': EARLIER }, 'send'],
    ['GET', { 'if-match': '"a"', 'if-none-match': '"a"' }, 'unchanged'],
  ])('%s with %j: %s', (method, headers, result) => {
    expect(evaluateConditions(method, reader(headers), VALIDATORS)).toBe(result);
  });

  test('hold for an answer without validators as far as they can', () => {
    expect(evaluateConditions('GET', reader({ 'if-none-match': '"a"' }), NONE)).toBe('send');
    expect(evaluateConditions('GET', reader({ 'if-modified-since': LATER }), NONE)).toBe('send');
    expect(evaluateConditions('PUT', reader({ 'if-match': '"a"' }), NONE)).toBe('failed');
    expect(evaluateConditions('PUT', reader({ 'if-unmodified-since': EARLIER }), NONE)).toBe('send');
  });

  test.each<[condition: string | undefined, allowed: boolean]>([
    [undefined, true],
    ['"a"', true],
    ['"b"', false],
    ['W/"a"', false],
    [MODIFIED, true],
    [LATER, false],
    ['', false],
  ])('allow a part of the answer with if-range %j: %j', (condition, allowed) => {
    expect(allowsRange(() => condition, VALIDATORS)).toBe(allowed);
  });
});

describe('a list of entity tags', () => {
  const opaque = fc.stringMatching(/^[\x21\x23-\x7e]{0,8}$/).map((text) => `"${text}"`);
  const element = fc.tuple(fc.boolean(), opaque).map(([isWeak, tag]) => (isWeak ? weak(tag) : tag));

  test('names exactly its elements', () => {
    const separator = fc.constantFrom(',', ', ', ' , ', ',\t,');
    fc.assert(
      fc.property(fc.array(element), separator, element, (tags, between, tag) => {
        const list = tags.join(between);
        const same = (other: string): boolean => weak(other) === weak(tag);
        expect(listsTag(list, tag, 'weak')).toBe(tags.some(same));
        expect(listsTag(list, tag, 'strong')).toBe(!tag.startsWith('W/') && tags.includes(tag));
      }),
    );
  });

  test('is read without an error, whatever a client sends', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (list) => {
        expect(listsTag(list, '"a"', 'strong')).toBe(list.trim() === '*' || /(^|[\t ,])"a"/.test(list));
      }),
      { examples: [['"a'], ['a"'], ['"a"'], ['W/']] },
    );
  });

  test('of the greatest length is read at once', () => {
    for (const part of ['"', ',', 'W/', '"a",', ' ,'])
      expect(listsTag(part.repeat(16_000 / part.length), '"b"', 'weak')).toBe(false);
  });
});

describe('a date of HTTP', () => {
  test.each([MODIFIED, 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])(
    'is read in the form %j',
    (text) => {
      expect(parseHttpDate(text)).toBe(Date.UTC(1994, 10, 6, 8, 49, 37));
    },
  );

  test.each([
    '',
    '1994-11-06',
    '0',
    'Sun, 06 Nov 1994 08:49:37 CET',
    `${MODIFIED} `,
    'Sun, 99 Nov 1994 08:49:37 GMT',
  ])('is not %j', (text) => {
    expect(parseHttpDate(text)).toBeNull();
  });

  test('is written as it is read', () => {
    const seconds = fc.integer({ min: 0, max: Date.UTC(9999, 0) / 1000 });
    fc.assert(
      fc.property(seconds, (second) => parseHttpDate(formatHttpDate(second * 1000)) === second * 1000),
    );
  });
});
