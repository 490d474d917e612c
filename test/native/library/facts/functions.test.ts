import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { findSourcePlaces, type SourcePlace } from '../../../../dist/native/library/facts/source-places.js';
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

async function placeAt(path: string, offset: number): Promise<SourcePlace> {
  const place: SourcePlace = { function: null, file: null, line: null };
  await findSourcePlaces(
    path,
    [offset],
    (_, found) => Object.assign(place, found),
    () => false,
  );
  return place;
}

async function functionAt(path: string, offset: number): Promise<string | null> {
  return (await placeAt(path, offset)).function;
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

const LINES = ['-gdwarf-2', '-gdwarf-3', '-gdwarf-4', '-gdwarf-5', '-gdwarf-5 -gdwarf64', '-g -gz=zlib'];

test.each(LINES)('names file and line from the debug information of cc %s', async (flags) => {
  const path = join(directory, `lines${flags.replaceAll(/\W/g, '_')}.so`);
  compile(path, SOURCE, [...shared, ...flags.split(' ')]);
  for (const { name, start, size } of symbols(path)) {
    const line = SOURCE.split('\n').findIndex((text) => text.includes(`int ${name}(`)) + 1;
    for (const offset of [start, start + size - 1]) {
      const place = await placeAt(path, offset);
      if (line > 0) expect(place).toMatchObject({ function: name, line });
      if (line > 0) expect(place.file).toMatch(/<stdin>$/);
    }
  }
  expect(await placeAt(path, 2 ** 40)).toEqual({ function: null, file: null, line: null });
});

test('ends a search that is late', async () => {
  let asked = 0;
  const found: object[] = [];
  await findSourcePlaces(
    whole,
    [symbol(whole, 'visible').start],
    (_, place) => found.push(place),
    () => (asked += 1) > 1,
  );
  expect(found).toEqual([{ function: 'visible' }]);
});

/** Where .debug_line and what it needs lie. */
function debugSections(path: string): [start: number, size: number][] {
  const text = execFileSync('readelf', ['-SW', path], { encoding: 'utf8' });
  const sections = text.matchAll(/ \.debug_(?:line|line_str|str) +PROGBITS +\S+ (\S+) (\S+)/g);
  return [...sections].map(([, start = '', size = '']) => [parseInt(start, 16), parseInt(size, 16)]);
}

test('survives any damage to the debug information', async () => {
  const bytes = readFileSync(whole);
  const { start } = symbol(whole, 'visible');
  const sections = debugSections(whole);
  expect(sections.length).toBeGreaterThan(0);
  const path = join(directory, 'damaged-lines.so');
  const change = fc.tuple(fc.nat(), fc.nat(255));
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
      const copy = Buffer.from(bytes);
      for (const [index, [at, value]] of changes.entries()) {
        const [begin, size] = sections[index % sections.length] as [number, number];
        // Most changes hit the head of the section, where damage matters.
        copy[begin + (at % (index % 3 === 0 ? size : Math.min(size, 64)))] = value;
      }
      writeFileSync(path, copy);
      const { function: name, line } = await placeAt(path, start);
      expect(name).toBe('visible');
      expect(line === null || Number.isFinite(line)).toBe(true);
    }),
    { numRuns: 500 },
  );
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
