/** The decoder of the FIX example with any bytes, under the sanitizers. */
import { beforeAll, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { encode, type Fields } from './fix-hostile-acceptor.js';
import { compileSanitized, fromHex, hex, linesOf } from './fix-sanitized.js';

jest.setTimeout(600_000);

let program = '';
beforeAll(() => {
  program = compileSanitized('fix_decoder', ['fix_decoder', 'fix_message']);
});

type Stream = readonly string[];

interface Result {
  readonly messages: readonly string[];
  readonly garbled: number;
}

/** Decodes streams, each made of pieces that arrive one after another. */
function decode(streams: readonly Stream[]): Result[] {
  const input = streams.flatMap((pieces) => [...pieces.map(hex), '.']);
  const results: Result[] = [];
  let messages: string[] = [];
  for (const line of linesOf(program, [], input)) {
    const [kind, value = '', , bytes = ''] = line.split(' ');
    if (kind === 'message') messages.push(fromHex(bytes));
    else {
      results.push({ messages, garbled: Number(value) });
      messages = [];
    }
  }
  return results;
}

const letters = fc.string({ unit: fc.constantFrom(...'ABC129= .'), minLength: 1, maxLength: 12 });
const message = fc
  .tuple(
    fc.constantFrom('0', '8', 'D', 'AE'),
    fc.array(fc.tuple(fc.integer({ min: 11, max: 60 }), letters), { maxLength: 6 }),
  )
  .map(([type, fields]) => encode([[35, type], ...fields] as Fields));
const bytes = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 60,
});
/** Bytes that look like parts of messages. */
const fragments = fc
  .array(
    fc.oneof(
      bytes,
      fc.constantFrom(
        '8=FIX.4.4\x01',
        '9=5\x01',
        '9=65536\x01',
        '35=0\x01',
        '10=000\x01',
        '8=',
        '\x01',
        '95=99\x01',
        '96=',
      ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

/** Cuts a text at some of its places. */
const cut = (text: string, places: readonly number[]): string[] => {
  const ends = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
  return [...ends, text.length].map((end, index) => text.slice(ends[index - 1] ?? 0, end));
};

/** One run of the program checks many cases. */
const many = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(one, { minLength: 50, maxLength: 100 });
// Without a search for a smaller case, which would take minutes: each step runs the program.
const runs = { numRuns: 10, endOnFailure: true };

test('the same messages come out however the stream is cut', () => {
  const one = fc.tuple(fc.array(message, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 20 }));
  fc.assert(
    fc.property(many(one), (cases) => {
      const results = decode(cases.map(([messages, places]) => cut(messages.join(''), places)));
      expect(results).toEqual(cases.map(([messages]) => ({ messages, garbled: 0 })));
    }),
    runs,
  );
});

test('any bytes are survived, and what comes out are well-formed messages', () => {
  fc.assert(
    fc.property(many(fc.tuple(fragments, fc.array(fc.nat(), { maxLength: 5 }))), (cases) => {
      const results = decode(cases.map(([text, places]) => cut(text, places)));
      expect(results).toHaveLength(cases.length);
      for (const text of results.flatMap(({ messages }) => messages)) {
        expect(text.replaceAll('\x01', '|')).toMatch(/^8=FIX[^]*?\|9=\d+\|35=[^]*\|10=\d{3}\|$/);
      }
    }),
    runs,
  );
});

test('a message with one changed byte is never taken for a message, and those around it come out', () => {
  const one = fc.tuple(message, message, fc.nat(), fc.integer({ min: 1, max: 255 }), message);
  fc.assert(
    fc.property(many(one), (cases) => {
      const changed = cases.map(([, text, place, by]) => {
        const at = place % text.length;
        return text.slice(0, at) + String.fromCharCode((text.charCodeAt(at) + by) % 256) + text.slice(at + 1);
      });
      const results = decode(
        cases.map(([before, , , , after], index) => [
          before,
          changed[index] ?? '',
          after,
          encode([[35, '0']]),
        ]),
      );
      results.forEach(({ messages, garbled }, index) => {
        const [before, , , , after] = cases[index] ?? [];
        expect(messages).toEqual([before, after, encode([[35, '0']])]);
        expect(garbled).toBeGreaterThan(0);
      });
    }),
    runs,
  );
});
