import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../../dist/index.js';
import { cacheDirectory, temporaryCacheDirectory } from '../../../dist/cache-place.js';

const directory = realpathSync(mkdtempSync(join(tmpdir(), 'backworks-reserved-')));
afterAll(() => rmSync(directory, { recursive: true }));

const parse = (text: string) => parseConfig(text, { file: 'backworks.yaml', directory, env: {} });

/** The problems of a file, without the hint that all of them share. */
function problems(text: string): string[] {
  try {
    parse(text);
    return [];
  } catch (error) {
    return String((error as Error).message)
      .split('\n')
      .filter((line) => line.includes('would let the plugin'))
      .map((line) => line.trim().replace(' — grant only the directories it needs', ''));
  }
}

const granting = (path: string, more = '') =>
  problems(`plugins: { a: { path: lib/x.so, permissions: { filesystem: { write: ["${path}"] } }${more} } }`);

const refused = (path: string, what: string): string =>
  `backworks.yaml:1:70: plugins.a.permissions.filesystem.write[0]: "${path}" would let the plugin replace ${what}`;

describe('the server refuses a write grant', () => {
  test.each([
    ['.', 'this file'],
    ['backworks.yaml', 'this file'],
    [dirname(directory), 'this file'],
    ['./lib', 'the library of plugins.a'],
    ['lib/x.so', 'the library of plugins.a'],
    ['lib/dependencies', 'files in the folder of the library of plugins.a'],
    ['lib/new/dependency.so', 'files in the folder of the library of plugins.a'],
    [cacheDirectory(), "the server's cache of libraries"],
    [join(cacheDirectory(), 'libraries'), "the server's cache of libraries"],
    [join(cacheDirectory(), 'versions', 'new'), "the server's cache of libraries"],
    [dirname(cacheDirectory()), "the server's cache of libraries"],
    [temporaryCacheDirectory(), "the server's cache of libraries"],
    [dirname(process.execPath), 'the server itself'],
    [join(process.cwd(), 'dist'), 'the server itself'],
    [join(process.cwd(), 'node_modules', 'hono'), 'the server itself'],
  ])('for %s', (path, what) => {
    expect(granting(path)).toEqual([refused(path, what)]);
  });

  test('for the library of another plugin, and for a directory of auto_discover', () => {
    const text = (path: string) => `plugins:
  a: { path: lib/x.so, permissions: { filesystem: { write: [./data, ${path}] } } }
  b: { path: other/y.so }
  auto_discover: { directories: [./found] }
`;
    const at = 'backworks.yaml:2:69: plugins.a.permissions.filesystem.write[1]';
    expect(problems(text('./other'))).toEqual([
      `${at}: "./other" would let the plugin replace the library of plugins.b`,
    ]);
    for (const path of ['./found', './found/below']) {
      expect(problems(text(path))).toEqual([
        `${at}: "${path}" would let the plugin replace libraries that plugins.auto_discover finds`,
      ]);
    }
  });

  test('for a symbolic link to a reserved path or to a directory above one', () => {
    mkdirSync(join(directory, 'real'));
    writeFileSync(join(directory, 'real', 'y.so'), '');
    symlinkSync(join(directory, 'real'), join(directory, 'link'));
    symlinkSync(directory, join(directory, 'all'));
    const library = (path: string) =>
      problems(`plugins: { a: { path: real/y.so, permissions: { filesystem: { write: [${path}] } } } }`).map(
        (line) => line.replace(/^.*replace /, ''),
      );
    expect(library('link')).toEqual(['the library of plugins.a']);
    expect(library('all')).toEqual(['this file']);
    expect(library('all/real')).toEqual(['the library of plugins.a']);
  });

  test('for a path that is reserved through a symbolic link', () => {
    symlinkSync(join(directory, 'elsewhere'), join(directory, 'plugins'));
    mkdirSync(join(directory, 'elsewhere'));
    writeFileSync(join(directory, 'elsewhere', 'z.so'), '');
    const text =
      'plugins: { a: { path: plugins/z.so, permissions: { filesystem: { write: [elsewhere] } } } }';
    expect(problems(text)).toHaveLength(1);
  });

  test('for a directory with a symbolic link on the way to a reserved path', () => {
    mkdirSync(join(directory, 'current'));
    mkdirSync(join(directory, 'releases/1'), { recursive: true });
    writeFileSync(join(directory, 'releases/1/w.so'), '');
    symlinkSync('../releases/1', join(directory, 'current/version'));
    const text = (path: string) =>
      `plugins: { a: { path: current/version/w.so, permissions: { filesystem: { write: [${path}] } } } }`;
    for (const path of ['current', 'current/version', 'releases', 'releases/1/w.so'])
      expect(problems(text(path))).toHaveLength(1);
  });

  test('for a disabled plugin, because an operator can enable the plugin later', () => {
    expect(granting('./lib', ', enabled: false')).toHaveLength(1);
  });
});

describe('the server accepts a write grant', () => {
  test('for a folder beside a library that lies beside the configuration', () => {
    expect(
      problems('plugins: { a: { path: x.so, permissions: { filesystem: { write: [./data] } } } }'),
    ).toEqual([]);
  });

  test.each(['./data', '../other', 'li', join(homedir(), 'data'), 'not/there/yet'])(
    'for %s, which is not reserved',
    (path) => {
      expect(granting(path)).toEqual([]);
    },
  );

  test('for any path when the sandbox is off, and warns that permissions are not enforced', () => {
    const text =
      'plugins: { a: { path: lib/x.so, sandbox: off, permissions: { filesystem: { write: [.] } } } }';
    expect(parse(text).warnings).toHaveLength(1);
  });
});
