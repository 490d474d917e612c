import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readDecision, readEndpointAnswer, readPatch } from '../../dist/plugins/marshal.js';
import { InvalidAnswer } from '../../dist/plugins/response-check.js';

const BYTES_MAX = 4096;
const READERS = { readDecision, readEndpointAnswer, readPatch };
type Reader = (typeof READERS)[keyof typeof READERS];

/** JSON with the members that the readers look for, and with hostile names and values. */
const key = fc.constantFrom(
  'response',
  'request',
  'status',
  'body',
  'headers',
  'body_encoding',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'a',
);
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(null, true, 0, -1, 42, 200, 204, 304, 599, 99999, 1e308, 'base64', '%', 'a\r\nb', ''),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 5 }).map((entries) => {
      // fromEntries makes "__proto__" an own member, as JSON.parse does.
      return Object.fromEntries(entries);
    }),
  ),
})).value;

const answer = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  json.map((value) => Buffer.from(JSON.stringify(value))),
  fc.string({ unit: 'binary', maxLength: 100 }).map((text) => Buffer.from(text)),
);

/** Parses a patch into a plain value. */
function shown(answer: ReturnType<Reader>): unknown {
  if (answer === null || 'body' in answer || ('kind' in answer && answer.kind === 'respond')) return answer;
  const { outline } = 'patch' in answer ? answer.patch : answer;
  return JSON.parse(outline.bytes.toString());
}

/** The value, or null if the answer was refused. Any other error fails the test. */
function read(reader: Reader, reply: Buffer): unknown {
  try {
    return shown(reader(reply, BYTES_MAX));
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidAnswer);
    return null;
  }
}

/** Expects that every object in a value is plain and has no member "__proto__". */
function expectPlain(value: unknown): void {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return;
  const prototype: unknown = Object.getPrototypeOf(value);
  expect([Object.prototype, Array.prototype, null]).toContain(prototype);
  expect(Object.hasOwn(value, '__proto__')).toBe(false);
  for (const member of Object.values(value)) expectPlain(member);
}

describe.each(Object.entries(READERS))('%s', (_, reader) => {
  test('gives a plain value or refuses the answer, for any bytes', () => {
    fc.assert(
      fc.property(answer, (reply) => {
        expectPlain(read(reader, reply));
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('gives a value that can be written as JSON', () => {
    fc.assert(
      fc.property(answer, (reply) => {
        const value = read(reader, reply);
        expect(typeof JSON.stringify(value)).toBe('string');
      }),
    );
  });

  test('refuses an answer that is too large before parsing it', () => {
    const brackets = Buffer.alloc(8 * 1024 * 1024, '[');
    expect(() => reader(brackets, BYTES_MAX)).toThrow(/^the answer has 8388608 bytes/);
  });
});
