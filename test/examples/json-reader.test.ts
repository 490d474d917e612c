import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';

/**
 * Compares the JSON reader of the C example with JSON.parse. The reader is compiled with AddressSanitizer and
 * UndefinedBehaviorSanitizer: a read or write out of bounds ends the driver and fails the test.
 */
const root = fileURLToPath(new URL('../..', import.meta.url));
const driver = join(root, 'build/fixtures', `json_reader_driver.${process.pid}`);
const DECODED_BYTES_MAX = 255;
const DEPTH_MAX = 128;

beforeAll(() => {
  mkdirSync(join(root, 'build/fixtures'), { recursive: true });
  const sources = ['test/fixtures/json_reader_driver.c', 'examples/weather/c/json_reader.c'];
  const flags = ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-g', '-Iexamples/weather/c'];
  const compile = (extra: readonly string[]): unknown =>
    execFileSync('cc', [...flags, ...extra, '-o', driver, ...sources], { cwd: root, stdio: 'pipe' });
  try {
    compile(['-fsanitize=address,undefined', '-fno-sanitize-recover=all']);
  } catch {
    // Some systems have no sanitizers. The comparison is useful without them too.
    compile([]);
  }
});

afterAll(() => {
  rmSync(driver, { force: true });
});

/** The answer that the driver must give for a document. */
function expected(text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'invalid';
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const city = isObject && Object.hasOwn(value as object, 'city') ? (value as { city: unknown }).city : null;
  if (typeof city !== 'string' || city.includes('\0')) return 'none';
  // Encoding turns an unpaired surrogate into U+FFFD, as the reader does.
  const bytes = Buffer.from(city);
  return bytes.length > DECODED_BYTES_MAX ? 'none' : `=${bytes.toString('hex')}`;
}

function ask(documents: readonly string[]): string[] {
  const input = documents.map((text) => `${text}\0`).join('');
  return execFileSync(driver, { input, encoding: 'utf8', maxBuffer: 1 << 28 })
    .trimEnd()
    .split('\n');
}

/** The text after encoding and decoding as UTF-8, like the driver's input. */
const throughUtf8 = (text: string): string => Buffer.from(text).toString();

function agree(documents: readonly string[]): void {
  const usable = documents.map(throughUtf8).filter((text) => text !== '' && !text.includes('\0'));
  if (usable.length === 0) return;
  const answers = ask(usable);
  usable.forEach((text, index) => {
    expect({ text, answer: answers[index] }).toEqual({ text, answer: expected(text) });
  });
}

const text = fc.string({ unit: 'binary', maxLength: 90 });
const name = fc.oneof(fc.constantFrom('city', 'City', 'cit', 'city '), text);
const document = fc.dictionary(name, fc.oneof(text, fc.jsonValue({ maxDepth: 6 })), { maxKeys: 8 });

/** Replaces letters by \u escapes, which JSON.stringify never writes. */
const escapeAll = (json: string): string =>
  json.replace(/[A-Za-z]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);

test('the reader accepts what JSON.parse accepts, with the same result', () => {
  fc.assert(
    fc.property(fc.array(document, { minLength: 1, maxLength: 100 }), (documents) => {
      agree(documents.flatMap((value) => [JSON.stringify(value), JSON.stringify(value, null, '\t ')]));
    }),
    { numRuns: 20 },
  );
});

test('the reader refuses damaged documents that JSON.parse refuses', () => {
  const damaged = fc
    .tuple(
      document,
      fc.nat(),
      fc.constantFrom('', '"', '\\', '{', '}', '[', ']', ',', ':', '\n', '0', '-', 'e', '.', '\\u12'),
    )
    .map(([value, position, piece]) => {
      const json = JSON.stringify(value);
      const at = position % (json.length + 1);
      return json.slice(0, at) + piece + json.slice(at + (position % 3));
    });
  fc.assert(
    fc.property(fc.array(damaged, { minLength: 1, maxLength: 200 }), (documents) => {
      agree(documents);
    }),
    { numRuns: 20 },
  );
});

test('the reader agrees with JSON.parse on escapes, surrogates, duplicates, numbers and trailing text', () => {
  agree([
    `{"city":"${escapeAll('Oslo')}"}`,
    `{"${escapeAll('city')}":"x"}`,
    '{"city":"\\ud83c\\udf26\\ufe0f"}',
    '{"city":"\\ud83c"}',
    '{"city":"\\udf26\\ud83c"}',
    '{"city":"\\ud83c\\ud83c\\udf26"}',
    '{"city":"\\"\\\\\\/\\b\\f\\n\\r\\t"}',
    '{"city":"a\\u0000b"}',
    '{"city":"a","city":"b"}',
    '{"city":"a","city":1}',
    '{"in":{"city":"a"}}',
    '[{"city":"a"}]',
    ...[
      '0',
      '-0',
      '1.5e+7',
      '01',
      '1.',
      '.5',
      '+1',
      '-',
      '1e',
      'NaN',
      'nul',
      'true x',
      '\ufeff{}',
      '"\t"',
      '{"a":1,}',
      '[1,]',
    ],
    JSON.stringify({ city: 'x'.repeat(DECODED_BYTES_MAX) }),
    JSON.stringify({ city: 'x'.repeat(DECODED_BYTES_MAX + 1) }),
  ]);
});

test('the reader refuses nesting beyond its limit instead of exhausting the stack', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  expect(ask([nested(DEPTH_MAX), nested(DEPTH_MAX + 1), nested(1_000_000)])).toEqual([
    'none',
    'invalid',
    'invalid',
  ]);
});
