import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { BackworksError } from '../../../../dist/errors.js';
import type { Host } from '../../../../dist/native/library/facts/host.js';
import { checkLibrary } from '../../../../dist/native/library/facts/index.js';
import { parseLibraryFacts, readLibraryFacts } from '../../../../dist/native/library/facts/read.js';
import { buildMachO, buildPe } from './foreign-libraries.js';
import { compile, MINIMAL_PLUGIN, temporaryDirectory, write } from './library-files.js';

const directory = temporaryDirectory();
const plugin = compile(join(directory, 'plugin.so'), MINIMAL_PLUGIN);
const inDirectory = (name: string): string => join(directory, name);
const archive = (path: string): string => {
  execFileSync('ar', ['rc', path, compile(inDirectory('member.o'), MINIMAL_PLUGIN, ['-c'])]);
  return path;
};

async function verdict(path: string, host?: Host): Promise<string> {
  try {
    checkLibrary(path, await readLibraryFacts(path), host);
    return 'ok';
  } catch (error) {
    if (!(error instanceof BackworksError)) throw error;
    return String(error).replace(`${directory}/`, '');
  }
}

const NO_LIBRARY = 'give the path of a compiled shared library';

test('accepts a plugin compiled on this machine', async () => {
  expect(await verdict(plugin)).toBe('ok');
});

test.each([
  [write(inDirectory('script.so'), '#!/bin/sh\necho\n'), `a shell script — ${NO_LIBRARY}`],
  [write(inDirectory('python.so'), '#!/usr/bin/python3\n'), `a script — ${NO_LIBRARY}`],
  [write(inDirectory('empty.so'), ''), `an empty file — ${NO_LIBRARY}`],
  [write(inDirectory('text.so'), 'int main;\n'), `a text file — ${NO_LIBRARY}`],
  [
    write(inDirectory('noise.so'), Buffer.from([1, 2, 3, 255, 0])),
    `a file of an unknown format — ${NO_LIBRARY}`,
  ],
  [write(inDirectory('class.so'), Buffer.from('cafebabe00000041', 'hex')), `a Java class — ${NO_LIBRARY}`],
  [
    write(inDirectory('module.so'), Buffer.from('0061736d01000000', 'hex')),
    'a WebAssembly module — compile for this system, not for WebAssembly',
  ],
  [archive(inDirectory('archive.so')), 'a static archive (.a) — link its object files with -shared'],
  [compile(inDirectory('plugin.o'), MINIMAL_PLUGIN, ['-c']), 'an object file — link it with -shared'],
  [
    compile(inDirectory('program'), 'int main(void) { return 0; }', []),
    'an executable — link it with -shared',
  ],
])('rejects %s', async (path, rest) => {
  const name = path.replace(`${directory}/`, '');
  expect(await verdict(path)).toBe(`BW_LIBRARY_FORMAT: ${name} is not a shared library but ${rest}`);
});

test('rejects a path that is not a file', async () => {
  mkdirSync(inDirectory('folder.so'));
  execFileSync('mkfifo', [inDirectory('pipe.so')]);
  expect(await verdict(inDirectory('folder.so'))).toMatch('BW_LIBRARY_FORMAT: folder.so is a directory');
  expect(await verdict(inDirectory('pipe.so'))).toMatch('BW_LIBRARY_FORMAT: pipe.so is not a regular file');
  expect(await verdict(inDirectory('none.so'))).toMatch('BW_LIBRARY_NOT_FOUND: none.so does not exist');
});

test('rejects a truncated library', async () => {
  const path = write(inDirectory('short.so'), readFileSync(plugin).subarray(0, 9000));
  expect(await verdict(path)).toMatch(
    /^BW_LIBRARY_TRUNCATED: short\.so is damaged or incomplete: it should have/,
  );
});

test('rejects libraries of other systems', async () => {
  const exports = ['plugin_info', 'plugin_vtable'];
  const dll = write(inDirectory('plugin.dll'), buildPe({ cpu: 0x8664, exports }));
  const dylib = write(inDirectory('plugin.dylib'), buildMachO({ cpu: 0x0100_000c, exports }));
  const linux: Host = { platform: 'linux', arch: 'x64', glibcVersion: '2.36' };
  expect(await verdict(dll, linux)).toBe(
    'BW_LIBRARY_FORMAT: plugin.dll is a Windows file, this machine runs Linux — build it for Linux',
  );
  expect(await verdict(dylib, linux)).toMatch('plugin.dylib is a macOS file, this machine runs Linux');
  expect(await verdict(dll, { platform: 'win32', arch: 'x64', glibcVersion: null })).toBe('ok');
  expect(await verdict(dylib, { platform: 'darwin', arch: 'arm64', glibcVersion: null })).toBe('ok');
  expect(await verdict(dylib, { platform: 'darwin', arch: 'x64', glibcVersion: null })).toBe(
    'BW_LIBRARY_ARCHITECTURE: plugin.dylib is built for arm64, this machine is x64 — rebuild it for x64',
  );
});

test('rejects a library for another processor', async () => {
  const bytes = readFileSync(plugin);
  const [machine, name] = process.arch === 'arm64' ? [62, 'x64'] : [183, 'arm64'];
  bytes.writeUInt16LE(machine, 18);
  const path = write(inDirectory('foreign.so'), bytes);
  expect(await verdict(path)).toBe(
    `BW_LIBRARY_ARCHITECTURE: foreign.so is built for ${name}, this machine is ${process.arch}` +
      ` — rebuild it for ${process.arch}`,
  );
});

test.each([
  [
    'none',
    'int other(void) { return 0; }',
    'no plugin_info and no plugin_vtable — define what is missing with',
  ],
  [
    'info',
    'int plugin_info(void) { return 0; }',
    'no plugin_vtable — define what is missing with BACKWORKS_EXPORT',
  ],
  [
    'cxx',
    'int f(void) __asm__("_Z11plugin_infov"); int f(void) { return 0; }',
    'no plugin_info and no plugin_vtable — it was compiled as C++: declare plugin_info extern "C"',
  ],
  [
    'flat',
    'int plugin_info(void) { return 0; } int plugin_initialize(void) { return 0; }',
    'no plugin_vtable — return plugin_initialize from plugin_vtable() instead of exporting them',
  ],
])('rejects a library without the required functions: %s', async (name, source, rest) => {
  const path = compile(inDirectory(`${name}.so`), source);
  const start = `BW_LIBRARY_SYMBOL: ${name}.so is not a Backworks plugin: it exports ${rest}`;
  expect((await verdict(path)).slice(0, start.length)).toBe(start);
});

test('rejects a library that needs a newer glibc or another C library', () => {
  const facts = { ...parseLibraryFacts(readFileSync(plugin)), libc: 'glibc' as const, glibcFloor: '2.38' };
  const host = (glibcVersion: string | null): Host => ({
    platform: 'linux',
    arch: process.arch,
    glibcVersion,
  });
  expect(() => checkLibrary('a.so', facts, host('2.36'))).toThrow(
    'a.so needs glibc 2.38, this host has 2.36',
  );
  expect(() => checkLibrary('a.so', facts, host('2.9'))).toThrow('a.so needs glibc 2.38, this host has 2.9');
  expect(() => checkLibrary('a.so', facts, host('2.38'))).not.toThrow();
  expect(() => checkLibrary('a.so', facts, host('2.100'))).not.toThrow();
  expect(() => checkLibrary('a.so', facts, host(null))).toThrow('is built for glibc, this host runs musl');
  const musl = { ...facts, libc: 'musl' as const, glibcFloor: null };
  expect(() => checkLibrary('a.so', musl, host('2.36'))).toThrow('is built for musl, this host runs glibc');
  expect(() => checkLibrary('a.so', musl, host(null))).not.toThrow();
});
