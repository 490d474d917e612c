import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readCrashReport } from '../../../dist/native/process/crash-report.js';

/** The instruction and 32 calls. */
const PLACES_MAX = 33;

/** Strings as in a report, or arbitrary bytes. */
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
  fc
    .array(fc.string({ unit: 'binary', maxLength: 600 }), { maxLength: 100 })
    .map((texts) => Buffer.from(texts.map((text) => `${text}\0`).join(''))),
);

test('any CRASHED payload becomes short printable texts', () => {
  fc.assert(
    fc.property(fc.integer(), payload, (signal, bytes) => {
      const { signal: name, address, places, systemCall } = readCrashReport(signal, bytes);
      expect(name).toMatch(/^(?:SIG[A-Z0-9]+|signal -?\d+)$/);
      for (const text of [address, systemCall]) {
        if (text !== null) expect(text).toMatch(/^[\x20-\x7e]{1,256}$/);
      }
      expect(places.length).toBeLessThanOrEqual(PLACES_MAX);
      for (const { module, offset } of places) {
        if (module !== null) expect(module).toMatch(/^[\x20-\x7e]{1,256}$/);
        expect(offset).toMatch(/^[\x20-\x7e]{0,256}$/);
      }
    }),
  );
});
