import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkJson, JsonFact } from '../../../dist/native/json-check.js';
import { disagreement } from './json-oracle.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const DEPTH_MAX = 4;

function compare(bytes: Buffer, depthMax = DEPTH_MAX): void {
  expect(disagreement(bytes, depthMax)).toBeNull();
}

/** A name or a string, each character escaped in one of the possible ways. */
const string = fc
  .tuple(
    fc.oneof(fc.constantFrom('status', 'body', '__proto__', 'statu', ''), fc.string({ unit: 'binary' })),
    fc.array(fc.nat(2), { minLength: 1 }),
  )
  .map(([text, ways]) => {
    const units = text.split('').map((unit, index) => {
      const hex = unit.charCodeAt(0).toString(16).padStart(4, '0');
      const way = ways[index % ways.length];
      if (way === 0 && !/[\ud800-\udfff]/.test(unit)) return JSON.stringify(unit).slice(1, -1);
      return `\\u${way === 1 ? hex : hex.toUpperCase()}`;
    });
    return `"${units.join('')}"`;
  });
const raw = fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text));
const scalar = fc.oneof(
  string,
  raw,
  fc.double().map((number) => JSON.stringify(number)),
  fc.constantFrom('0', '-0', '1e5', '-1.5E+3', '2e-0', 'true', 'false', 'null'),
  fc.constantFrom('01', '1.', '.5', '+1', '-', '1e', '1e+', '0x1', 'NaN', 'tru', 'nulL', '"\t"', '"\\x"'),
);
const space = fc.constantFrom('', '', ' ', '\n        ', '\t\r', ' '.repeat(17), '\v', '\ufeff');
const text = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, scalar, tie('array'), tie('object')),
  array: fc
    .array(fc.tuple(space, tie('value'), space).map((parts) => parts.join('')))
    .map((items) => `[${items.join(',')}]`),
  object: fc
    .array(fc.tuple(space, string, space, fc.constant(':'), tie('value')).map((parts) => parts.join('')))
    .chain((members) => space.map((last) => `{${members.join(',')}${last}}`)),
})).value as fc.Arbitrary<string>;
const bytesOfJson = fc.tuple(space, text, space).map((parts) => Buffer.from(parts.join('')));

/** Bytes that have a meaning in JSON or in UTF-8. */
const telling = fc.constantFrom(
  ...Buffer.from('"\\[]{}:, u0e.-\n\0'),
  ...[0x7f, 0x80, 0xa0, 0xc0, 0xc3, 0xe0, 0xed, 0xf0, 0xf4, 0xff],
);
const mutated = fc
  .tuple(bytesOfJson, fc.array(fc.tuple(fc.nat(), telling), { minLength: 1, maxLength: 3 }), fc.nat())
  .map(([bytes, changes, length]) => {
    const changed = Buffer.from(bytes);
    for (const [at, byte] of changes) if (changed.length > 0) changed[at % changed.length] = byte;
    return length % 2 === 0 ? changed : changed.subarray(0, length % (changed.length + 1));
  });

test.each([
  ['JSON', bytesOfJson],
  ['JSON with changes', mutated],
  ['any bytes', fc.uint8Array().map((bytes) => Buffer.from(bytes))],
  [
    'a string of any bytes',
    fc.uint8Array().map((bytes) => Buffer.from(`"${Buffer.from(bytes).toString('latin1')}"`, 'latin1')),
  ],
])('agrees with JSON.parse(): %s', (_what, bytes) => {
  fc.assert(fc.property(bytes, fc.integer({ min: 0, max: DEPTH_MAX }), compare), { numRuns: 1000 });
});

test('agrees with JSON.parse() for every byte at every position of a string', () => {
  const disagreements: (string | null)[] = [];
  for (let length = 1; length < 20; length += 1) {
    for (let at = 0; at < length; at += 1) {
      for (let byte = 0; byte < 256; byte += 1) {
        const bytes = Buffer.from(`"${'a'.repeat(length)}"`);
        bytes[at + 1] = byte;
        disagreements.push(disagreement(bytes, 1));
      }
    }
  }
  expect(disagreements.filter((found) => found !== null)).toEqual([]);
});

test('agrees with JSON.parse() for every sequence of two bytes, with possible continuations', () => {
  const disagreements: (string | null)[] = [];
  for (const rest of [[], [0x7f], [0x80], [0xbf], [0xc0], [0x80, 0x7f], [0xbf, 0xbf], [0x80, 0xc0]]) {
    for (let pair = 0x8000; pair < 0x10000; pair += 1) {
      const bytes = Buffer.from([0x22, pair >> 8, pair & 0xff, ...rest, 0x22]);
      disagreements.push(disagreement(bytes, 1));
    }
  }
  expect(disagreements.filter((found) => found !== null)).toEqual([]);
});

test.each([
  '',
  ' ',
  '\ufeff1',
  '[]]',
  '{}{}',
  '1 1',
  '{"a"}',
  '{,}',
  '[,]',
  '[1,]',
  '{"a":1,}',
  '"\ud800"',
  '"\\ud800"',
  '{"status":1,"body":null}',
  '{"a":{"status":1,"body":2}}',
  '[{"status":1,"body":2}]',
  '{"st\\u0061tus":1,"\\u0062\\u006fdy":2,"statu":3,"bod\\u":4}',
  '{"st\\u0061tus":1,"\\u0062\\u006Fdy":2,"status\\n":3}',
  '{"a":[{"__proto__":1}]}',
  '{"__prot\\u006F__":{}}',
  '{"a":"__proto__","__proto":1}',
])('agrees with JSON.parse() on an edge case: %j', (edge) => compare(Buffer.from(edge)));

test('counts the depth of arrays and objects together, up to the limit', () => {
  const deep = (levels: number) =>
    Buffer.from(`${'[{"a":'.repeat(levels / 2)}${levels % 2 === 0 ? '0' : '[]'}${'}]'.repeat(levels / 2)}`);
  expect(checkJson(deep(100), 100) & JsonFact.VALID).toBe(JsonFact.VALID);
  expect(checkJson(deep(101), 100)).toBe(JsonFact.TOO_DEEP);
  expect(checkJson(deep(1024), 1_000_000) & JsonFact.VALID).toBe(JsonFact.VALID);
  expect(checkJson(deep(1025), 1_000_000)).toBe(JsonFact.TOO_DEEP);
  expect(checkJson(Buffer.from('['.repeat(1_000_000)), 1_000_000)).toBe(JsonFact.TOO_DEEP);
  expect(checkJson(Buffer.from('1'), 0) & JsonFact.VALID).toBe(JsonFact.VALID);
  expect(checkJson(Buffer.from('{}'), 0)).toBe(JsonFact.TOO_DEEP);
});

test('the facts have the same numbers in C and in TypeScript', () => {
  const header = readFileSync(`${root}/src/runner/json/json_check.h`, 'utf8');
  const facts = [...header.matchAll(/\bJSON_(\w+) = 1 << (\d+)/g)].map(([, name, bit]) => [
    name,
    1 << Number(bit),
  ]);
  expect(Object.fromEntries(facts)).toEqual(JsonFact);
});
