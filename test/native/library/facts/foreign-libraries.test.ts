import { expect, test } from '@jest/globals';
import { parseLibraryFacts } from '../../../../dist/native/library/facts/read.js';
import { buildMachO, buildPe, buildUniversal } from './foreign-libraries.js';

const exports = ['plugin_info', 'plugin_vtable'];
const X64 = { pe: 0x8664, machO: 0x0100_0007 };
const ARM64 = { pe: 0xaa64, machO: 0x0100_000c };

test.each([
  ['x64', 0x8664, true],
  ['arm64', 0xaa64, true],
  ['ia32', 0x014c, false],
])('reads a Windows DLL for %s', (architecture, cpu, is64) => {
  expect(parseLibraryFacts(buildPe({ cpu, exports }, { is64 }))).toEqual({
    format: 'pe',
    kind: 'shared-library',
    architectures: [architecture],
    exports: new Set(exports),
    needed: ['KERNEL32.dll'],
    glibcFloor: null,
    libc: null,
    runpath: [],
    soname: 'plugin.dll',
  });
});

test('does not accept a Windows program as a library', () => {
  expect(parseLibraryFacts(buildPe({ cpu: X64.pe, exports }, { flags: 0x22 })).kind).toBe('executable');
});

test.each(['trie', 'symbols'] as const)('reads a macOS library with its exports as %s', (exportsAs) => {
  expect(parseLibraryFacts(buildMachO({ cpu: ARM64.machO, exports }, { exportsAs }))).toEqual({
    format: 'mach-o',
    kind: 'shared-library',
    architectures: ['arm64'],
    exports: new Set(exports),
    needed: ['/usr/lib/libSystem.B.dylib'],
    glibcFloor: null,
    libc: null,
    runpath: ['@loader_path/lib'],
    soname: '@rpath/libplugin.dylib',
  });
});

test.each([
  [1, 'object'],
  [2, 'executable'],
  [8, 'shared-library'],
  [4, 'other'],
])('recognizes a Mach-O file of type %d as %s', (fileType, kind) => {
  expect(parseLibraryFacts(buildMachO({ cpu: X64.machO, exports }, { fileType })).kind).toBe(kind);
});

test('a universal file has the exports that all its architectures have', () => {
  const intel = { cpu: X64.machO, exports: [...exports, 'only_intel'] };
  const arm = { cpu: ARM64.machO, exports };
  const facts = parseLibraryFacts(
    buildUniversal([
      { ...intel, file: buildMachO(intel) },
      { ...arm, file: buildMachO(arm, { exportsAs: 'symbols' }) },
    ]),
  );
  expect(facts.architectures).toEqual(['x64', 'arm64']);
  expect(facts.exports).toEqual(new Set(exports));
  expect(facts.needed).toEqual(['/usr/lib/libSystem.B.dylib']);
});

test('stops at an export trie that leads back to its root', () => {
  const file = buildMachO({ cpu: X64.machO, exports: ['a', 'b'] });
  const edge = file.indexOf('_a\0');
  file.writeUInt8(0, edge + 3);
  expect(parseLibraryFacts(file).exports).toEqual(new Set(['b']));
});

test('limits the names in a small file that repeats them', () => {
  // All names are ends of one long text: 30 MB of names in 64 KiB, repeated in every part.
  const cpu = X64.machO;
  const long = 'n'.repeat(16_000);
  const names = [long, ...Array.from({ length: 2000 }, () => 'short')];
  const file = buildMachO({ cpu, exports: names }, { exportsAs: 'symbols' });
  const symbolTable = file.readUInt32LE(file.indexOf(Buffer.from([2, 0, 0, 0, 24, 0, 0, 0])) + 8);
  const longOffset = '\0_hidden\0'.length;
  for (let index = 2; index < names.length; index++) {
    file.writeUInt32LE(longOffset + index, symbolTable + index * 16);
  }
  const universal = (count: number): Buffer =>
    buildUniversal(Array.from({ length: count }, () => ({ cpu, exports: names, file })));
  expect(parseLibraryFacts(universal(1)).exports).toEqual(new Set([long, 'short']));
  expect(() => parseLibraryFacts(universal(8))).toThrow('implausibly large');
});
