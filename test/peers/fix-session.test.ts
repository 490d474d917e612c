/** The session of the FIX example with messages that break its rules, under the sanitizers. */
import { beforeAll, expect, jest, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { newDirectory } from './fix-example.js';
import { cut, decode, encode, type Fields, timestamp } from './fix-hostile-acceptor.js';
import { compileSanitized, fromHex, hex, linesOf } from './fix-sanitized.js';

jest.setTimeout(600_000);

let program = '';
let journal = '';
beforeAll(() => {
  const sources = ['fix_decoder', 'fix_message', 'journal', 'order_json', 'rules', 'session', 'timestamp'];
  program = compileSanitized('fix_session', sources, true);
  // The session waits for the disk with every message: a file in memory makes that short.
  journal = join(newDirectory(existsSync('/dev/shm') ? '/dev/shm' : undefined), 'journal');
});

interface Sent {
  /** The messages that the session sent, in their order. */
  readonly messages: readonly Fields[];
  /** The next numbers of both sides, twice: as they were, and as a new process reads them. */
  readonly numbers: readonly string[];
}

/** What sessions send that get these pieces of streams. */
function run(streams: readonly (readonly string[])[]): Sent[] {
  const input = streams.flatMap((pieces) => [...pieces.map(hex), '.']);
  const results: Sent[] = [];
  let output = '';
  for (const line of linesOf(program, [journal], input)) {
    const [kind, ...words] = line.split(' ');
    if (kind === 'output') output += fromHex(words[0] ?? '');
    else {
      const { messages, rest } = cut(output);
      expect(rest).toBe('');
      results.push({ messages: messages.map(decode), numbers: words });
      output = '';
    }
  }
  return results;
}

const header = (type: string, number: number): Fields => [
  [35, type],
  [49, 'ACCEPTOR'],
  [56, 'BACKWORKS'],
  [34, String(number)],
  [52, timestamp()],
];
const logon = encode([...header('A', 1), [98, '0'], [108, '30']]);

const value = fc.oneof(
  fc.constantFrom('Y', 'N', '0', '1', '2', '7', '-1', '999999999999999999', '1e9', '1.5', '.', '-', 'A'),
  fc.integer({ min: 0, max: 12 }).map(String),
  fc.string({
    unit: fc.integer({ min: 2, max: 255 }).map((code) => String.fromCharCode(code)),
    maxLength: 8,
  }),
);
const tag = fc.oneof(
  fc.constantFrom(7, 16, 36, 43, 122, 123, 112, 58, 45, 371, 373, 380, 11, 17, 37, 39, 150, 151, 14, 6, 31),
  fc.integer({ min: 0, max: 1000 }),
);
/** A message that is not garbled, whose number is near the expected one. */
const message = fc
  .tuple(
    fc.constantFrom('0', '1', '2', '2', '3', '4', '4', '5', '8', '8', 'A', 'B', 'j', 'zz'),
    fc.integer({ min: 1, max: 9 }),
    fc.array(fc.tuple(tag, value), { maxLength: 6 }),
    fc.boolean(),
  )
  .map(([type, number, body, possDup]) =>
    encode([
      ...header(type, number),
      ...(possDup ? ([[43, 'Y'], [122, timestamp()]] as const) : []), // prettier-ignore
      ...body,
    ]),
  );
/** Of right fields, so that what is sent again and skipped is reached often. */
const right = fc
  .tuple(
    fc.integer({ min: 2, max: 6 }),
    fc.constantFrom<[string, Fields]>(
      ['2', [[7, '1'], [16, '0']]], // prettier-ignore
      ['2', [[7, '2'], [16, '2']]], // prettier-ignore
      ['4', [[123, 'Y'], [36, '5']]], // prettier-ignore
      ['4', [[36, '8']]],
      ['1', [[112, 'id']]],
      ['3', [[45, '2'], [373, '5']]], // prettier-ignore
    ),
  )
  .map(([number, [type, body]]) => encode([...header(type, number), ...body]));

const get = (fields: Fields, wanted: number): string | undefined =>
  fields.find(([field]) => field === wanted)?.[1];

test('whatever comes, each number is sent once, and what is sent again has PossDupFlag and a number that was sent', () => {
  const stream = fc.array(fc.oneof(message, right), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.array(stream, { minLength: 30, maxLength: 40 }), (streams) => {
      const results = run(streams.map((pieces) => [logon, ...pieces]));
      expect(results).toHaveLength(streams.length);
      for (const { messages, numbers } of results) {
        const [sender, target, senderAgain, targetAgain] = numbers;
        expect([senderAgain, targetAgain]).toEqual([sender, target]);
        // The Logon had the number 1.
        let next = 2;
        for (const fields of messages) {
          const number = Number(get(fields, 34));
          if (get(fields, 43) === 'Y') expect(number).toBeLessThan(next);
          else expect(number).toBe(next++);
        }
        expect(sender).toBe(String(next));
      }
    }),
    // A search for a smaller case would take minutes.
    { numRuns: 10, endOnFailure: true },
  );
});
