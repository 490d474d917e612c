import { sep } from 'node:path';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { namedFile } from '../../../dist/pipeline/files/file-names.js';

test.each<[path: string, names: string[], isDirectory: boolean]>([
  ['/files/a.txt', ['a.txt'], false],
  ['/files/a/b.txt', ['a', 'b.txt'], false],
  ['/files/a/', ['a'], true],
  ['/files/', [], true],
  ['/files', [], true],
  ['/files/a%20b', ['a b'], false],
  ['/files/%C3%A9', ['é'], false],
  ['/files/a..b', ['a..b'], false],
])('%s names %j', (path, names, isDirectory) => {
  expect(namedFile(path, 1, 'deny')).toEqual({ names, isDirectory });
});

test.each([
  '/files/../a',
  '/files/%2e%2e/a',
  '/files/.%2E/a',
  '/files/a/..',
  '/files/.',
  '/files/a%2fb',
  '/files/a%2Fb',
  '/files/a%5cb',
  '/files/a\\b',
  '/files/a%00',
  '/files//a',
  '/files/a//',
  '/files/%',
  '/files/%ff',
  '/files/.env',
  '/files/.git/config',
  '/files/%2egit/config',
])('%s names nothing', (path) => {
  expect(namedFile(path, 1, 'deny')).toBeNull();
});

test('names that begin with a dot are served when the endpoint allows them, but no dot segments', () => {
  expect(namedFile('/.well-known/a', 0, 'allow')?.names).toEqual(['.well-known', 'a']);
  expect(namedFile('/...', 0, 'allow')?.names).toEqual(['...']);
  expect(namedFile('/..', 0, 'allow')).toBeNull();
});

test('no path names a place outside of the directory', () => {
  const part = fc.oneof(
    fc.constantFrom('..', '.', '/', '%2e', '%2f', '%5c', '\\', '%00', '%25'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const named = namedFile(`/files/${parts.join('')}`, 1, 'allow');
      for (const name of named?.names ?? []) {
        expect(['', '.', '..']).not.toContain(name);
        expect(name).not.toContain(sep);
        expect(name).not.toMatch(/[\0\\]/);
      }
    }),
  );
});
