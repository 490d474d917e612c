import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { openLibraryReader } from '../../dist/cli/command/library-reader.js';
import { validatePlugin } from '../../dist/index.js';
import { ownCache } from '../fixtures/cache.js';
import { compileWithLibrary } from '../fixtures/compile.js';
import { startServer } from '../fixtures/server.js';

ownCache();
const directory = mkdtempSync(join(tmpdir(), 'backworks-beside-'));
chmodSync(directory, 0o755);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.each(['dep', '../dep'])('a plugin whose library needs another library in $ORIGIN/%s', (place) => {
  const home = join(directory, place.replaceAll(/\W/g, '_'), 'plugins');
  mkdirSync(home, { recursive: true });
  const path = compileWithLibrary(home, { plugin: 'beside', library: 'beside_dependency', place });

  test('is described without a server, as for config check', async () => {
    expect(await openLibraryReader().read(path)).toMatchObject({ name: 'beside', version: '1.0.0' });
  });

  test('passes plugin validation', async () => {
    expect(await validatePlugin(path, undefined, { quick: true })).toMatchObject({
      ok: true,
      metadata: { name: 'beside' },
    });
  });

  test('answers requests, loaded eagerly or lazily', async () => {
    const server = await startServer(`
endpoints:
  eager: { path: /eager, plugin: eager }
  lazy: { path: /lazy, plugin: lazy }
plugins:
  eager: { path: ${path} }
  lazy: { path: ${path}, load: lazy }
`);
    expect((await server.get('/eager')).body).toEqual({ depth: 7 });
    expect((await server.get('/lazy')).body).toEqual({ depth: 7 });
    await server.backworks.stop();
  });
});
