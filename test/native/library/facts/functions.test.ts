import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { placeWithFunction, shownPlace } from '../../../../dist/native/process/crash-place.js';
import { functionAt } from '../../../../dist/native/library/facts/functions.js';
import { compile, temporaryDirectory } from './library-files.js';

const directory = temporaryDirectory();
const SOURCE = `
static __attribute__((noinline)) int hidden(volatile int *p) { return *p + 1; }
int visible(volatile int *p) { return hidden(p) * 2; }
int data = 7;`;
const shared = ['-shared', '-fPIC', '-O1'];
const whole = compile(join(directory, 'whole.so'), SOURCE, [...shared, '-g']);
const stripped = compile(join(directory, 'stripped.so'), SOURCE, [...shared, '-s']);

interface Symbol {
  name: string;
  start: number;
  size: number;
}

/** Functions as binutils list them. */
function symbols(path: string, ...flags: string[]): Symbol[] {
  const text = execFileSync('nm', ['-S', '--defined-only', ...flags, path], { encoding: 'utf8' });
  return [...text.matchAll(/^([0-9a-f]+) ([0-9a-f]+) [tTwWi] (\S+)$/gm)].map(
    ([, start = '', size = '', name = '']) => ({
      name,
      start: parseInt(start, 16),
      size: parseInt(size, 16),
    }),
  );
}

function symbol(path: string, wanted: string, ...flags: string[]): Symbol {
  const found = symbols(path, ...flags).find(({ name }) => name === wanted);
  if (found === undefined) throw new Error(`no ${wanted} in ${path}`);
  return found;
}

test('with .symtab, names unexported functions from their first byte to their last', async () => {
  for (const { name, start, size } of [symbol(whole, 'hidden'), symbol(whole, 'visible')]) {
    expect(await functionAt(whole, start)).toBe(name);
    expect(await functionAt(whole, start + size - 1)).toBe(name);
    expect(await functionAt(whole, start + size)).not.toBe(name);
  }
});

test('names only exported functions of a stripped library', async () => {
  const visible = symbol(stripped, 'visible', '-D');
  const hidden = symbol(whole, 'hidden');
  expect(await functionAt(stripped, visible.start)).toBe('visible');
  expect(visible).toEqual(symbol(whole, 'visible'));
  expect(await functionAt(stripped, hidden.start)).toBeNull();
});

test('names no function for data, for addresses outside, and in files that are not libraries', async () => {
  const text = join(directory, 'text.so');
  writeFileSync(text, 'not a library\n');
  const folder = join(directory, 'folder.so');
  mkdirSync(folder);
  const pipe = join(directory, 'pipe.so');
  execFileSync('mkfifo', [pipe]);
  expect(await functionAt(whole, 0)).toBeNull();
  expect(await functionAt(whole, 2 ** 40)).toBeNull();
  expect(await functionAt(whole, -1)).toBeNull();
  for (const path of [text, folder, pipe, join(directory, 'missing.so')]) {
    expect(await functionAt(path, 0x1000)).toBeNull();
  }
});

test('finds the last symbol of a table that is read in several turns', async () => {
  const many = Array.from({ length: 9000 }, (_, index) => `int f${index}(void) { return ${index}; }`);
  const path = compile(join(directory, 'many.so'), many.join('\n'), ['-shared', '-fPIC', '-O0']);
  for (const name of ['f0', 'f4095', 'f4096', 'f8999']) {
    expect(await functionAt(path, symbol(path, name).start + 2)).toBe(name);
  }
});

test('survives any damage to the file', async () => {
  const bytes = readFileSync(whole);
  const { start } = symbol(whole, 'visible');
  const path = join(directory, 'damaged.so');
  await fc.assert(
    fc.asyncProperty(
      fc.nat(bytes.length),
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 8 }),
      async (kept, changes) => {
        const copy = Buffer.from(bytes);
        // The header and, at the end, the section headers are where damage matters.
        for (const [at, value] of changes) {
          copy[at % 64] = value;
          copy[bytes.length - 1 - (at % 2048)] = value;
        }
        writeFileSync(path, copy);
        truncateSync(path, kept);
        const name = await functionAt(path, start);
        expect(name === null || typeof name === 'string').toBe(true);
      },
    ),
    { numRuns: 200 },
  );
});

test('shows an address in the loaded copy under the name of the original library', async () => {
  const loaded = `${'ab'.repeat(32)}.so`;
  const names = { loaded, shown: 'libweather.so' };
  // The runner keeps 63 characters of a name.
  expect(shownPlace(`${'ab'.repeat(32).slice(0, 63)}+0x1139`, names)).toBe('libweather.so+0x1139');
  expect(shownPlace('libc.so.6+0x2f', names)).toBe('libc.so.6+0x2f');
  expect(shownPlace('lib+x.so+0x2f', { loaded: 'lib+x.so', shown: 'a.so' })).toBe('a.so+0x2f');
  expect(shownPlace('nonsense', names)).toBe('nonsense');

  const { start } = symbol(whole, 'hidden');
  const at = `libweather.so+0x${start.toString(16)}`;
  expect(await placeWithFunction(at, whole, 'libweather.so')).toBe(`${at} (hidden)`);
  expect(await placeWithFunction(at, stripped, 'libweather.so')).toBe(at);
  expect(await placeWithFunction(at, whole, 'libother.so')).toBe(at);
  expect(await placeWithFunction('libweather.so+what', whole, 'libweather.so')).toBe('libweather.so+what');
});
