import { spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { DIRECTORY_MODE, LIBRARY_MODE, openCacheDirectory } from '../../../dist/native/cache-directory.js';
import { openLibraryStore } from '../../../dist/native/library/library-store.js';
import { compile, MINIMAL_PLUGIN, temporaryDirectory, write } from './facts/library-files.js';

const directory = temporaryDirectory();
const plugin = compile(join(directory, 'plugin.so'), MINIMAL_PLUGIN);
let count = 0;
const freshStore = () => openLibraryStore(join(directory, `cache${count++}`));

/** The plugin with extra bytes after its sections: it runs the same, but is another file. */
function library(name: string): string {
  return write(join(directory, `${name}.so`), Buffer.concat([readFileSync(plugin), Buffer.from(name)]));
}

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

test('names a copy by its content, read-only and in a private directory', async () => {
  const store = await freshStore();
  const stored = await store.add(plugin);
  expect(stored).toMatchObject({
    digest: sha256(plugin),
    path: stored.path,
    inPlace: false,
    directories: [],
  });
  expect(basename(stored.path)).toBe(`${stored.digest}.so`);
  expect(readFileSync(stored.path)).toEqual(readFileSync(plugin));
  expect(statSync(stored.path).mode & 0o777).toBe(LIBRARY_MODE);
  expect(statSync(join(store.directory, '..')).mode & 0o777).toBe(DIRECTORY_MODE);
  expect(await store.add(plugin)).toEqual(stored);
  expect(readdirSync(store.directory)).toEqual([basename(stored.path)]);
});

test('keeps copies unchanged when the original is overwritten', async () => {
  const store = await freshStore();
  const original = write(join(directory, 'rebuilt.so'), readFileSync(plugin));
  const before = await store.add(original);
  compile(original, `${MINIMAL_PLUGIN} int more(void) { return 1; }`);
  const after = await store.add(original);
  expect(after.digest).not.toBe(before.digest);
  expect(sha256(before.path)).toBe(before.digest);
  expect(sha256(after.path)).toBe(after.digest);
});

test.each(['same size', 'shorter'])('replaces a copy that was changed: %s', async (change) => {
  const store = await freshStore();
  const stored = await store.add(plugin);
  const bytes = readFileSync(stored.path);
  chmodSync(stored.path, 0o700);
  writeFileSync(stored.path, change === 'shorter' ? bytes.subarray(0, 100) : bytes.fill(0xff, 2000, 2100));
  expect(sha256(stored.path)).not.toBe(stored.digest);
  expect(await store.add(plugin)).toEqual(stored);
  expect(sha256(stored.path)).toBe(stored.digest);
});

test('gives each plugin its own file, always the same one', async () => {
  const store = await freshStore();
  const stored = await store.add(plugin);
  const [first, second, again] = await Promise.all(
    ['first', '../second/\0', 'first'].map((name) => store.privateCopy(stored, name)),
  );
  expect(again).toBe(first);
  expect(new Set([stored.path, first, second].map((path) => statSync(path as string).ino)).size).toBe(3);
  expect(sha256(second as string)).toBe(stored.digest);
  expect(join(second as string, '..')).toBe(store.directory);
  expect(readdirSync(store.directory)).toHaveLength(3);
});

test('never makes a private copy of changed bytes', async () => {
  const store = await freshStore();
  const stored = await store.add(plugin);
  chmodSync(stored.path, 0o700);
  writeFileSync(stored.path, 'something else');
  await expect(store.privateCopy(stored, 'first')).rejects.toMatchObject({ code: 'BW_LIBRARY_STORE' });
  expect(readdirSync(store.directory)).toEqual([basename(stored.path)]);
});

test('uses a library in place when it looks for other libraries beside itself', async () => {
  const store = await freshStore();
  const path = compile(join(directory, 'bound.so'), MINIMAL_PLUGIN, [
    '-shared',
    '-fPIC',
    '-Wl,-rpath,$ORIGIN',
  ]);
  const stored = await store.add(path);
  expect(stored).toMatchObject({ digest: sha256(path), path, inPlace: true, directories: [dirname(path)] });
  expect(await store.privateCopy(stored, 'first')).toBe(path);
  expect(readdirSync(store.directory)).toEqual([]);
});

test('does not store a file that is not a library', async () => {
  const store = await freshStore();
  const text = write(join(directory, 'text.so'), 'hello');
  await expect(store.add(text)).rejects.toMatchObject({ code: 'BW_LIBRARY_FORMAT' });
  await expect(store.add(join(directory, 'none.so'))).rejects.toMatchObject({ code: 'BW_LIBRARY_NOT_FOUND' });
});

test('makes a directory private that others could write to', async () => {
  const path = join(directory, 'open');
  mkdirSync(path);
  chmodSync(path, 0o777);
  expect(await openCacheDirectory(path)).toBe(path);
  expect(statSync(path).mode & 0o777).toBe(DIRECTORY_MODE);
});

test('rejects a path that cannot be a directory', async () => {
  const path = write(join(directory, 'file'), '');
  await expect(openLibraryStore(path)).rejects.toMatchObject({ code: 'BW_LIBRARY_STORE' });
});

test('uses the user’s cache by default, or the temporary files', async () => {
  const before = process.env['XDG_CACHE_HOME'];
  try {
    process.env['XDG_CACHE_HOME'] = join(directory, 'xdg');
    expect(await openCacheDirectory()).toBe(join(directory, 'xdg/backworks'));
    process.env['XDG_CACHE_HOME'] = plugin;
    const fallback = await openCacheDirectory();
    expect(basename(fallback)).toMatch(/^backworks-/);
    expect(statSync(fallback).mode & 0o777).toBe(DIRECTORY_MODE);
  } finally {
    if (before === undefined) delete process.env['XDG_CACHE_HOME'];
    else process.env['XDG_CACHE_HOME'] = before;
  }
});

describe('pruning', () => {
  const all = (): boolean => true;
  const names = (store: { directory: string }): string[] => readdirSync(store.directory).sort();

  test('removes copies that are useless and not held', async () => {
    const cache = join(directory, `cache${count++}`);
    const store = await openLibraryStore(cache);
    const kept = await store.add(library('kept'));
    const held = await store.add(library('held'));
    const useless = await store.add(library('useless'));
    await store.privateCopy(useless, 'instance');
    const hold = await store.hold(held);
    // A hold of another server on this machine.
    const other = await openLibraryStore(cache);
    await other.prune(({ digest }) => digest !== kept.digest);
    expect(names(store)).toEqual([kept, held].map(({ path }) => basename(path)).sort());
    expect(await store.find(useless.digest)).toBeNull();
    expect(await store.find(held.digest)).toEqual(held);
    await hold.release();
    await hold.release();
    await other.prune(({ digest }) => digest !== kept.digest);
    expect(names(store)).toEqual([basename(kept.path)]);
  });

  test('ignores holds of a process that ended without cleaning up', async () => {
    const cache = join(directory, `cache${count++}`);
    const store = await openLibraryStore(cache);
    const left = await store.add(library('left'));
    const ended = spawnSync(process.execPath, ['-e', '']).pid;
    await (await store.hold(left)).release();
    for (const pid of [ended, process.pid]) {
      writeFileSync(join(cache, 'holds', `${left.digest}.${pid}.${randomUUID()}`), '');
    }
    await store.prune(all);
    expect(names(store)).toEqual([]);
    expect(readdirSync(join(cache, 'holds'))).toEqual([]);
  });

  test('does not return a copy that was changed', async () => {
    const store = await freshStore();
    const copy = await store.add(library('changed'));
    chmodSync(copy.path, 0o700);
    appendFileSync(copy.path, 'more');
    expect(await store.find(copy.digest)).toBeNull();
    expect(await store.find('0'.repeat(64))).toBeNull();
  });
});
