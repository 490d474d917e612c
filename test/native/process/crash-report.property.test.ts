import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readCrashReport } from '../../../dist/native/process/crash-report.js';

const TEXT_MAX = 256;

/** Strings as in a report, or arbitrary bytes. */
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
  fc
    .array(fc.string({ unit: 'binary', maxLength: 600 }), { maxLength: 12 })
    .map((texts) => Buffer.from(texts.map((text) => `${text}\0`).join(''))),
);

test('any CRASHED payload becomes short printable texts', () => {
  fc.assert(
    fc.property(fc.integer(), payload, (signal, bytes) => {
      const { signal: name, address, at, systemCall } = readCrashReport(signal, bytes);
      expect(name).toMatch(/^(?:SIG[A-Z0-9]+|signal -?\d+)$/);
      for (const text of [address, systemCall]) {
        if (text !== null) expect(text).toMatch(/^[\x20-\x7e]{1,256}$/);
      }
      if (at !== null) expect(at.length).toBeLessThanOrEqual(2 * TEXT_MAX + 1);
      if (at !== null) expect(at).toMatch(/^[\x20-\x7e]+$/);
    }),
  );
});
