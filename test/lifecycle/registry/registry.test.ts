import { beforeEach, describe, expect, test } from '@jest/globals';
import { copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compilePlugin } from '../../fixtures/compile.js';
import { createTestServer, startServer } from '../../fixtures/server.js';

/** A plugin directory. */
let directory: string;

function put(fixture: string, name = `lib${fixture}.so`): string {
  const path = join(directory, name);
  copyFileSync(compilePlugin(fixture), path);
  return path;
}

const discovery = (extra = ''): string => `
plugins:
  auto_discover: { enabled: true, directories: [${directory}, ${directory}/missing] }
${extra}`;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'backworks-plugins-'));
});

describe('discovery', () => {
  test('finds libraries by file name and serves them under their own names', async () => {
    put('echo', 'b.so');
    put('counter', 'a.so');
    const server = await startServer(discovery());
    expect(server.backworks.plugins()).toMatchObject([
      { name: 'counter', origin: 'discovered', state: 'ready', version: '1.0.0' },
      {
        name: 'echo',
        origin: 'discovered',
        state: 'ready',
        hooks: expect.arrayContaining(['process_endpoint']),
      },
    ]);
    expect(await server.get('/anything')).toMatchObject({ status: 200, body: { count: 1 } });
  });

  test('reports files that cannot be loaded, with the reason, while the rest serves', async () => {
    put('echo');
    put('missing_vtable');
    put('crash_constructor');
    writeFileSync(join(directory, 'script.so'), '#!/bin/sh\necho no plugin\n');
    writeFileSync(join(directory, 'notes.txt'), 'not looked at');
    mkdirSync(join(directory, 'folder.so'));
    const server = await startServer(discovery());
    expect(server.backworks.plugins().map(({ name }) => name)).toEqual(['echo']);
    expect(server.backworks.rejected()).toEqual([
      expect.objectContaining({
        path: join(directory, 'libcrash_constructor.so'),
        code: 'BW_PLUGIN_CRASHED',
      }),
      expect.objectContaining({
        code: 'BW_LIBRARY_SYMBOL',
        reason: expect.stringContaining('plugin_vtable'),
      }),
      expect.objectContaining({ code: 'BW_LIBRARY_FORMAT', reason: expect.stringContaining('script') }),
    ]);
    expect(server.log.filter(({ message }) => message.startsWith('library not loaded: '))).toHaveLength(3);
    expect(await server.get('/x')).toMatchObject({ status: 200 });
  });

  test('inspect() initializes no plugin', async () => {
    put('initialize_fails');
    const { backworks } = createTestServer(discovery());
    await backworks.inspect();
    expect(backworks.plugins()).toMatchObject([
      { name: 'initialize-fails', state: 'discovered', processes: [], version: '1.0.0' },
    ]);
  });

  test('an explicit entry wins over a library of the same path or the same name', async () => {
    const path = put('echo');
    put('counter');
    const byPath = await startServer(discovery(`  mine: { path: ${path}, priority: 1 }`));
    expect(byPath.backworks.plugins().map(({ name, origin }) => `${name} ${origin}`)).toEqual([
      'mine config',
      'counter discovered',
    ]);
    const byName = await startServer(discovery(`  counter: { path: ${path}, priority: 1 }`));
    expect(byName.backworks.plugins().map(({ name, origin }) => `${name} ${origin}`)).toEqual([
      'counter config',
    ]);
    expect(byName.plugin('counter')).toMatchObject({ path, description: 'Returns what it is given.' });
  });

  test('two libraries with the same name are an error that names both files', async () => {
    const [one, two] = [put('echo', 'one.so'), put('echo', 'two.so')];
    const { backworks } = createTestServer(discovery());
    await expect(backworks.start()).rejects.toMatchObject({
      code: 'BW_PLUGIN_DUPLICATE',
      message: `two libraries have the name "echo": ${one} and ${two}`,
    });
  });
});

describe('entries', () => {
  test('a disabled entry is not loaded, and no discovered library takes its name', async () => {
    const path = put('echo');
    const server = await startServer(discovery(`  echo: { path: ${path}, enabled: false }`));
    expect(server.backworks.plugins()).toMatchObject([
      { name: 'echo', state: 'stopped', reason: 'disabled in the configuration', processes: [] },
    ]);
    expect(await server.get('/x')).toMatchObject({ status: 404 });
  });

  test.each(['builtin', 'marketplace'])(
    'a plugin of type %s fails with a reason that says it is not supported yet',
    async (type) => {
      const more = type === 'marketplace' ? ', version: 1.2.0' : '';
      const server = await startServer(`plugins: { auth: { type: ${type}${more} } }`);
      expect(server.plugin('auth')).toMatchObject({ state: 'failed', type });
      expect(server.plugin('auth').reason).toContain(`type "${type}", which is not supported yet`);
    },
  );

  test('the manifest supplies values that the configuration does not set, and no permissions', async () => {
    const path = put('manifest');
    const silent = await startServer(`plugins: { m: { path: ${path} } }`);
    expect(silent.plugin('m')).toMatchObject({ priority: 7, critical: true, hooks: ['before_request'] });
    expect(silent.plugin('m').missingPermissions).toEqual(['network.connect 443', 'env TZ']);
    expect(silent.log.map(({ message }) => message)).toContain(
      'plugin m requests network.connect 443, which its configuration does not grant; the plugin may fail',
    );
    const spoken = await startServer(`
plugins:
  m: { path: ${path}, priority: 50, critical: false, permissions: { network: { connect: [443] }, env: [TZ] } }
`);
    expect(spoken.plugin('m')).toMatchObject({ priority: 50, critical: false, missingPermissions: [] });
  });

  test('a library file can be overwritten while the plugin runs', async () => {
    const path = put('counter');
    const server = await startServer(`plugins: { it: { path: ${path} } }`);
    writeFileSync(path, 'overwritten in place');
    expect(await server.get('/x')).toMatchObject({ status: 200, body: { count: 1 } });
  });
});
