import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { ownCache } from '../../fixtures/cache.js';
import { compileWithLibrary } from '../../fixtures/compile.js';
import { startServer } from '../../fixtures/server.js';

ownCache();
const directory = mkdtempSync(join(tmpdir(), 'backworks-symbols-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('an in-process plugin uses the OpenSSL it was linked with, not the one Node exports', async () => {
  const path = compileWithLibrary(directory, {
    plugin: 'linked_openssl',
    library: 'linked_openssl_library',
    place: 'lib',
  });
  const server = await startServer(`
endpoints: { version: { path: /version, plugin: own } }
plugins: { own: { path: ${path}, isolation: in-process, trusted: true } }
`);
  expect((await server.get('/version')).body).toEqual({ version: "the plugin's own" });
  await server.backworks.stop();
});
