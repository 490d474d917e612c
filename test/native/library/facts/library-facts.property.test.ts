import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BackworksError } from '../../../../dist/errors.js';
import { checkLibrary } from '../../../../dist/native/library/facts/index.js';
import { parseLibraryFacts } from '../../../../dist/native/library/facts/read.js';
import { buildMachO, buildPe, buildUniversal } from './foreign-libraries.js';
import { compile, MINIMAL_PLUGIN, temporaryDirectory } from './library-files.js';

const exports = ['plugin_info', 'plugin_vtable'];
const elf = readFileSync(compile(join(temporaryDirectory(), 'plugin.so'), MINIMAL_PLUGIN));
const bundle = buildMachO({ cpu: 0x0100_0007, exports });
const libraries = {
  elf,
  'big-endian elf header': Buffer.concat([elf.subarray(0, 5), Buffer.from([2]), elf.subarray(6)]),
  '32-bit elf header': Buffer.concat([elf.subarray(0, 4), Buffer.from([1]), elf.subarray(5)]),
  pe: buildPe({ cpu: 0x8664, exports }),
  'mach-o': bundle,
  'mach-o with symbols': buildMachO({ cpu: 0x0100_000c, exports }, { exportsAs: 'symbols' }),
  universal: buildUniversal([{ cpu: 0x0100_0007, exports, file: bundle }]),
};
/** Far more than any input takes, so only an endless loop can exceed it. */
const LIMIT = { interruptAfterTimeLimit: 25_000, markInterruptAsFailure: true };

function readsOrRefuses(bytes: Uint8Array): void {
  try {
    checkLibrary('plugin', parseLibraryFacts(bytes));
  } catch (error) {
    if (!(error instanceof BackworksError)) throw error;
    expect(error.code).toMatch(/^BW_LIBRARY_/);
  }
}

test('reads or rejects any bytes', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 4096 }), readsOrRefuses), { ...LIMIT, numRuns: 2000 });
});

test.each(Object.entries(libraries))(
  '%s: reads or rejects any bytes after a valid beginning',
  (_, library) => {
    const property = fc.property(fc.nat(256), fc.uint8Array({ maxLength: 2048 }), (kept, rest) =>
      readsOrRefuses(Buffer.concat([library.subarray(0, kept), rest])),
    );
    fc.assert(property, { ...LIMIT, numRuns: 500 });
  },
);

test.each(Object.entries(libraries))('%s: reads or rejects any part of the file', (_, library) => {
  const property = fc.property(fc.nat(library.length), (length) =>
    readsOrRefuses(library.subarray(0, length)),
  );
  fc.assert(property, { ...LIMIT, numRuns: 500 });
});

/** Numbers at which offsets, sizes and counts are most likely to be handled wrongly. */
const word = fc.oneof(
  fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fff8, 0xffff_ffff),
  fc.nat(0x4000),
  fc.nat(0xffff_ffff),
);

test.each(Object.entries(libraries))('%s: reads or rejects the file with any words changed', (_, library) => {
  // Most of a file is code; the tables that are read are mostly in its first kilobytes.
  const place = fc
    .oneof(fc.nat(1023), fc.nat(library.length - 5))
    .map((at) => Math.min(at, library.length - 4));
  const changes = fc.array(fc.tuple(place, word), { minLength: 1, maxLength: 8 });
  const property = fc.property(changes, (list) => {
    const bytes = Buffer.from(library);
    for (const [at, value] of list) bytes.writeUInt32LE(value, at);
    readsOrRefuses(bytes);
  });
  fc.assert(property, { ...LIMIT, numRuns: 2000 });
});
