import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin, compileWithLibrary } from '../fixtures/compile.js';
import { createTestServer, startServer } from '../fixtures/server.js';

ownCache();
const directory = realpathSync(mkdtempSync(join(tmpdir(), 'backworks-needed-')));
chmodSync(directory, 0o755);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A plugin that needs a library in `place`, and that library. */
function put(name: string, place = '../dep'): { plugin: string; needed: string } {
  const home = join(directory, name, 'plugins');
  mkdirSync(home, { recursive: true });
  const plugin = compileWithLibrary(home, { plugin: 'beside', library: 'beside_dependency', place });
  return { plugin, needed: join(home, place, 'libbeside_dependency.so') };
}

function replace(path: string, fixture = 'beside_deeper_dependency'): void {
  copyFileSync(compilePlugin(fixture), `${path}.new`);
  renameSync(`${path}.new`, path);
}

const yaml = (plugin: string, more = ''): string => `
endpoints: { beside: { path: /beside, plugin: beside } }
plugins: { beside: { path: ${plugin} }${more} }
`;

describe('a library that a plugin needs was changed', () => {
  test('no process maps it until the operator swaps the plugin, and the error names the file', async () => {
    const { plugin, needed } = put('replaced');
    const server = await startServer(yaml(plugin));
    expect((await server.get('/beside')).body).toEqual({ depth: 7 });
    replace(needed);
    await expect(server.backworks.restartPlugin('beside')).rejects.toMatchObject({
      code: 'BW_LIBRARY_CHANGED',
      message: expect.stringContaining(`its dependency ${needed}: its contents have changed`),
      hint: expect.stringContaining('backworks plugin swap beside'),
    });
    expect((await server.get('/beside')).body).toEqual({ depth: 7 });
    expect(await server.backworks.swapPlugin('beside')).toBe('swapped');
    expect((await server.get('/beside')).body).toEqual({ depth: 8 });
    expect(await server.backworks.swapPlugin('beside')).toBe('unchanged');
    await server.backworks.stop();
  });

  test('a reload starts the plugin with it', async () => {
    const { plugin, needed } = put('reloaded');
    const server = await startServer(yaml(plugin));
    expect(await server.change(yaml(plugin))).toMatchObject({ plugins: [{ action: 'keep' }] });
    replace(needed);
    expect(await server.change(yaml(plugin))).toMatchObject({
      plugins: [{ action: 'swap', changed: ['library'] }],
      failed: [],
    });
    expect((await server.get('/beside')).body).toEqual({ depth: 8 });
    await server.backworks.stop();
  });

  test('a library that the loader would prefer counts as a change', async () => {
    const { plugin, needed } = put('preferred');
    const server = await startServer(yaml(plugin));
    const preferred = join(dirname(needed), 'glibc-hwcaps/x86-64-v2', 'libbeside_dependency.so');
    mkdirSync(dirname(preferred), { recursive: true });
    // A preferred directory that appears later is found by the next check of the whole plugin.
    replace(preferred);
    expect(await server.change(yaml(plugin))).toMatchObject({ plugins: [{ action: 'swap' }] });
    await server.backworks.stop();
  });
});

describe('a write grant on a library that a plugin needs', () => {
  const granting = (plugin: string, path: string): string =>
    yaml(
      plugin,
      `, writer: { path: ${compilePlugin('echo')}, permissions: { filesystem: { write: [${path}] } } }`,
    );

  test.each([
    ['the file', (needed: string) => needed],
    ['its directory', (needed: string) => dirname(needed)],
    [
      'a new directory that the loader would prefer',
      (needed: string) => join(dirname(needed), 'glibc-hwcaps'),
    ],
    [
      'a symbolic link to its directory',
      (needed: string) => {
        const link = join(dirname(dirname(needed)), 'link');
        symlinkSync(dirname(needed), link);
        return link;
      },
    ],
  ])('is refused: %s', async (what, path) => {
    const { plugin, needed } = put(`granted ${what}`.replaceAll(/\W/g, '_'));
    const { backworks } = createTestServer(granting(plugin, path(needed)));
    await expect(backworks.start()).rejects.toMatchObject({
      code: 'BW_CONFIG_INVALID',
      message: expect.stringMatching(
        /plugins\.writer\.permissions\.filesystem\.write.* would let the plugin replace .*which plugin beside loads|what plugin beside loads from/,
      ),
    });
    await backworks.stop();
  });

  test('is refused by a reload, which changes nothing; another directory can be granted', async () => {
    const { plugin, needed } = put('granted_later');
    const server = await startServer(yaml(plugin));
    await expect(server.change(granting(plugin, dirname(needed)))).rejects.toMatchObject({
      code: 'BW_CONFIG_INVALID',
    });
    const data = join(directory, 'data');
    mkdirSync(data);
    chmodSync(data, 0o777);
    expect((await server.change(granting(plugin, data))).failed).toEqual([]);
    await server.backworks.stop();
  });
});
