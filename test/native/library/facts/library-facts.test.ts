import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parseLibraryFacts, readLibraryFacts } from '../../../../dist/native/library/facts/read.js';
import { compile, MINIMAL_PLUGIN, temporaryDirectory } from './library-files.js';

const directory = temporaryDirectory();

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
}

/** Libraries of this system: those next to its C library. */
function systemLibraries(): string[] {
  const report = process.report.getReport() as { sharedObjects: string[] };
  const libc = report.sharedObjects.find((path) => path.includes('libc.so')) ?? '/usr/lib/libc.so';
  const folder = join(realpathSync(libc), '..');
  const names = readdirSync(folder).filter((name) =>
    /^lib(?:c|m|dl|pthread|stdc\+\+|z|gcc_s)\.so\.\d+$/.test(name),
  );
  return [...new Set(names.map((name) => realpathSync(join(folder, name))))];
}

/** The bracketed `readelf` output on lines with that tag. */
function bracketed(text: string, tag: string): string[] {
  return [...text.matchAll(new RegExp(`\\(${tag}\\).*\\[(.*)\\]`, 'g'))].map((match) => match[1] as string);
}

function highest(versions: readonly string[]): string | null {
  const weight = (version: string): number =>
    version.split('.').reduce((sum, part, index) => sum + Number(part) / 1000 ** index, 0);
  return [...versions].sort((a, b) => weight(b) - weight(a))[0] ?? null;
}

test('finds the same exports as nm, and the same names and versions as readelf', async () => {
  const libraries = systemLibraries();
  expect(libraries.length).toBeGreaterThanOrEqual(2);
  for (const path of [...libraries, process.execPath]) {
    const facts = await readLibraryFacts(path);
    const symbols = run('nm', '-D', '--defined-only', path).trim().split('\n');
    const names = symbols.map((line) => (line.split(' ').at(-1) as string).replace(/@.*$/, ''));
    expect([...facts.exports].sort()).toEqual([...new Set(names)].sort());

    const dynamic = run('readelf', '-dW', path);
    expect(facts.needed).toEqual(bracketed(dynamic, 'NEEDED'));
    expect(facts.soname).toBe(bracketed(dynamic, 'SONAME')[0] ?? null);

    const needs = run('readelf', '-VW', path).split('Version needs')[1] ?? '';
    const versions = [...needs.matchAll(/GLIBC_([\d.]+)/g)].map((match) => match[1] as string);
    // This name means the first glibc that supports compact relocations.
    if (needs.includes('GLIBC_ABI_DT_RELR')) versions.push('2.36');
    expect(facts.glibcFloor).toBe(highest(versions));
    expect(facts.architectures).toEqual([process.arch]);
    expect(facts.kind).toBe(path === process.execPath ? 'executable' : 'shared-library');
  }
});

test('reads exports, soname and runpath of a compiled plugin, from its file and from bytes', async () => {
  const flags = ['-shared', '-fPIC', '-Wl,-soname,libthis.so.1', '-Wl,-rpath,$ORIGIN/lib:/opt/lib'];
  const path = compile(join(directory, 'plugin.so'), MINIMAL_PLUGIN, flags);
  const facts = await readLibraryFacts(path);
  expect(facts).toMatchObject({ format: 'elf', kind: 'shared-library', soname: 'libthis.so.1' });
  expect(facts.runpath).toEqual(['$ORIGIN/lib', '/opt/lib']);
  expect(facts.exports).toEqual(new Set(['plugin_info', 'plugin_vtable']));
  expect(parseLibraryFacts(readFileSync(path))).toEqual(facts);
});

test.each(['sysv', 'gnu', 'both'])('counts symbols through the hash table: %s', async (style) => {
  const flags = ['-shared', '-fPIC', `-Wl,--hash-style=${style}`];
  const path = compile(join(directory, `${style}.so`), MINIMAL_PLUGIN, flags);
  expect((await readLibraryFacts(path)).exports).toEqual(new Set(['plugin_info', 'plugin_vtable']));
});

test('reads a library without section headers', async () => {
  const path = compile(join(directory, 'bare.so'), MINIMAL_PLUGIN, ['-shared', '-fPIC', '-s']);
  const bytes = readFileSync(path);
  bytes.fill(0, 40, 48);
  bytes.fill(0, 58, 64);
  expect(parseLibraryFacts(bytes).exports).toEqual(new Set(['plugin_info', 'plugin_vtable']));
});

test('reads a library without a hash table through its section headers', async () => {
  const path = compile(join(directory, 'hashless.so'), MINIMAL_PLUGIN);
  const bytes = readFileSync(path);
  const gnuHash = Buffer.from([0xf5, 0xfe, 0xff, 0x6f, 0, 0, 0, 0]);
  const at = bytes.indexOf(gnuHash);
  expect(at).toBeGreaterThan(0);
  bytes.writeUInt32LE(0x6fff_f000, at);
  expect(parseLibraryFacts(bytes).exports).toEqual(new Set(['plugin_info', 'plugin_vtable']));
});

test('does not list hidden and undefined symbols as exports', async () => {
  const source = `
    __attribute__((visibility("hidden"))) int hidden(void) { return 1; }
    extern int elsewhere(void);
    int visible(void) { return hidden() + elsewhere(); }`;
  const path = compile(join(directory, 'hidden.so'), source);
  expect((await readLibraryFacts(path)).exports).toEqual(new Set(['visible']));
});

test('tells executables and object files from libraries', async () => {
  const main = 'int main(void) { return 0; }';
  const kinds = [
    ['pie', ['-pie', '-fPIE'], 'executable'],
    ['fixed', ['-no-pie'], 'executable'],
    ['object.o', ['-c'], 'object'],
  ] as const;
  for (const [name, flags, kind] of kinds) {
    const path = compile(join(directory, name), main, flags);
    expect((await readLibraryFacts(path)).kind).toBe(kind);
  }
});
