import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mergeMembers, mergeValue, PatchMembers } from '../../../dist/pipeline/documents/merge-patch.js';
import { JSON_DEPTH_MAX } from '../../../dist/plugins/json-depth.js';
import { JsonOutline } from '../../../dist/plugins/json-outline.js';
import { patchOf } from '../patch-of.js';
import { jsonObjectText, jsonValueText } from './json-arbitrary.js';
import { compact, plainMerge } from './plain-merge.js';

/** Applies any JSON as a patch, as the value of a member. */
function merged(target: string | undefined, patch: string, asBytes = false): string {
  const { outline } = patchOf(`{"patch":${patch}}`);
  const given = target !== undefined && asBytes ? Buffer.from(target) : target;
  return mergeValue(given, outline, 0).toString();
}

/** RFC 7396, appendix A: original, patch, result. */
test.each([
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', 'null', 'null'],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
  ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
])('RFC 7396 example: %s patched with %s is %s', (target, patch, result) => {
  expect(merged(target, patch)).toBe(result);
  expect(plainMerge(target, patch)).toBe(result);
});

test.each([
  [
    'digits',
    '{"id":12345678901234567890,"price":1.0,"big":1e400}',
    '{"x":-0}',
    '{"id":12345678901234567890,"price":1.0,"big":1e400,"x":-0}',
  ],
  ['order of names that are numbers', '{"b":1,"2":2,"1":3}', '{"2":4.0}', '{"b":1,"2":4.0,"1":3}'],
  ['repeated names that are not named', '{"a":1,"a":2,"b":3}', '{"b":4}', '{"a":1,"a":2,"b":4}'],
  ['white space', '{ "a" : 1 ,\n  "b" : 2 }\n', '{"b":3}', '{ "a" : 1 ,\n  "b" : 3 }\n'],
  ['white space around what is removed', '{ "a" : 1 ,\n  "b" : 2 }', '{"a":null}', '{ "b" : 2 }'],
  ['white space where members are added', '{\n  "a": 1\n}', '{"b":2}', '{\n  "a": 1,"b":2\n}'],
  [
    'lone surrogates and escapes',
    '{"\\ud800":"\\udfff","a\\/":"\\u0041"}',
    '{"x":1}',
    '{"\\ud800":"\\udfff","a\\/":"\\u0041","x":1}',
  ],
  ['a member __proto__', '{"__proto__":{"a":1}}', '{"b":2}', '{"__proto__":{"a":1},"b":2}'],
])('a patch leaves unchanged what it does not name: %s', (_what, target, patch, result) => {
  expect(merged(target, patch)).toBe(result);
});

test.each([
  [
    'the last one is merged, in the first one’s place',
    '{"a":{"x":1},"b":0,"a":{"y":2.0}}',
    '{"a":{"z":3}}',
    '{"a":{"y":2.0,"z":3},"b":0}',
  ],
  ['all of them are removed', '{"a":1,"b":2,"a":3}', '{"a":null}', '{"b":2}'],
  ['in a patch the last one counts', '{"a":1}', '{"a":2,"c":3,"a":null}', '{"c":3}'],
  ['escapes do not make another name', '{"\\u0061":1,"é":2}', '{"a":2,"\\u00e9":3}', '{"\\u0061":2,"é":3}'],
])('repeated names: %s', (_what, target, patch, result) => {
  expect(merged(target, patch)).toBe(result);
});

const target = fc.option(jsonValueText, { nil: undefined });

describe('every pair of texts', () => {
  test.each([false, true])(
    'gives the same digits and order as the plain implementation (bytes: %s)',
    (asBytes) => {
      fc.assert(
        fc.property(target, jsonValueText, (given, patch) => {
          const result = merged(given, patch, asBytes);
          expect(compact(result)).toBe(plainMerge(given, patch));
          expect(() => JSON.parse(result) as unknown).not.toThrow();
        }),
        { numRuns: 1000 },
      );
    },
  );

  test('gives the same for long texts, which are processed as bytes', () => {
    const filler = `"filler":"${'ü'.repeat(3000)}"`;
    fc.assert(
      fc.property(jsonObjectText, jsonObjectText, (given, patch) => {
        const inner = given.trim().slice(1);
        const long = `{${filler}${/^\s*\}/.test(inner) ? '' : ','}${inner}`;
        expect(compact(merged(long, patch, true))).toBe(plainMerge(long, patch));
        expect(compact(merged(patch, long, true))).toBe(plainMerge(patch, long));
      }),
    );
  });

  test('applying a patch twice gives the same result as once', () => {
    fc.assert(
      fc.property(target, jsonValueText, (given, patch) => {
        const once = merged(given, patch);
        expect(compact(merged(once, patch))).toBe(compact(once));
      }),
    );
  });

  test('an empty patch changes no byte of an object', () => {
    fc.assert(fc.property(jsonObjectText, (given) => expect(merged(given, '{}')).toBe(given)));
  });
});

test('a patch finds the right members among hundreds of names', () => {
  const names = Array.from({ length: 300 }, (_, index) => `"n${index}"`);
  const object = `{${names.map((name) => `${name}:1.0`).join(',')}}`;
  const patch = `{${names.map((name, index) => `${name}:${index % 2 === 0 ? 'null' : '2.0'}`).join(',')},"new":3}`;
  expect(compact(merged(object, patch))).toBe(plainMerge(object, patch));
});

test('a patch applies at the deepest allowed nesting', () => {
  // The patch is a member's value in an answer, which uses two levels.
  const levels = JSON_DEPTH_MAX - 2;
  const nested = (inner: string): string => `${'{"a":'.repeat(levels)}${inner}${'}'.repeat(levels)}`;
  expect(merged(nested('{"x":1.0}'), nested('{"y":2}'))).toBe(nested('{"x":1.0,"y":2}'));
});

test('a patch of one member keeps every other byte of a megabyte', () => {
  const rest = `"rest":[${'1.0,'.repeat(300_000)}0]`;
  expect(merged(`{"a":1,${rest}}`, '{"a":2}', true)).toBe(`{"a":2,${rest}}`);
});

test('applies only the selected members', () => {
  const patch = patchOf('{"a":1,"b":2.0,"c":3}');
  const isB = (index: number): boolean => patch.outline.name(index) === 'b';
  expect(mergeMembers('{"a":0}', new PatchMembers(patch, isB))).toBe('{"a":0,"b":2.0}');
});

test('an outline lists exactly the members of the text', () => {
  fc.assert(
    fc.property(jsonObjectText, (json) => {
      const outline = JsonOutline.of(Buffer.from(json)) as JsonOutline;
      const entries: unknown[] = [];
      const object = outline.object()!;
      for (let index = object.first; index < object.stop; index = outline.after(index))
        entries.push([outline.name(index), JSON.parse(outline.valueText(index))]);
      const value = JSON.parse(json) as object;
      expect(new Map(entries as [string, unknown][])).toEqual(new Map(Object.entries(value)));
    }),
  );
});
