import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { JsonValue } from '../../../dist/config/types.js';
import { mergePatch } from '../../../dist/pipeline/documents/merge-patch.js';

/** RFC 7396, appendix A: original, patch, result. */
const RFC_EXAMPLES: [JsonValue, JsonValue, JsonValue][] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

test.each(RFC_EXAMPLES)('%j patched with %j is %j', (target, patch, result) => {
  expect(mergePatch(target, patch)).toEqual(result);
});

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<JsonValue>;

test('the arguments never change', () => {
  fc.assert(
    fc.property(json, json, (target, patch) => {
      const before = JSON.stringify([target, patch]);
      mergePatch(target, patch);
      expect(JSON.stringify([target, patch])).toBe(before);
    }),
  );
});

test('applying a patch twice is the same as applying it once', () => {
  fc.assert(
    fc.property(json, json, (target, patch) => {
      const once = mergePatch(target, patch);
      expect(mergePatch(once, patch)).toEqual(once);
    }),
  );
});

test('an empty patch changes nothing in an object', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), json), (target) => {
      expect(mergePatch(target, {})).toEqual(target);
    }),
  );
});

test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('a member %s is data only', (name) => {
  const patch = JSON.parse(`{"${name}": {"polluted": true}}`) as JsonValue;
  const result = mergePatch({ kept: 1 }, patch) as object;

  expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
  expect(JSON.stringify(result)).toBe(`{"kept":1,"${name}":{"polluted":true}}`);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  expect(JSON.stringify(mergePatch(result as JsonValue, JSON.parse(`{"${name}": null}`) as JsonValue))).toBe(
    '{"kept":1}',
  );
});
