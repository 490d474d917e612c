import { beforeAll, describe, expect, test } from '@jest/globals';
import { compilePlugin } from '../../fixtures/compile.js';
import { startServer, type TestServer } from '../../fixtures/server.js';

let server: TestServer;

const entry = (fixture: string, more = ''): string =>
  `{ path: ${compilePlugin(fixture)}, timeouts: { call: 10s }${more} }`;

beforeAll(async () => {
  server = await startServer(`
endpoints:
  base: { path: /ask/base/storage.kv, plugin: asker }
  any: { path: /ask/-/storage.kv, plugin: asker }
  unlisted: { path: /ask/base/storage.drop, plugin: asker }
  stranger: { path: /ask/stranger/storage.kv, plugin: asker }
  crash: { path: /ask/broken/do.crash, plugin: asker }
  hang: { path: /ask/broken/do.hang, plugin: asker }
  babble: { path: /ask/broken/do.babble, plugin: asker }
  nothing: { path: /ask/broken/do.nothing, plugin: asker }
plugins:
  asker: ${entry('asks')}
  base: ${entry('needed')}
  stranger: ${entry('needed')}
  broken: { path: ${compilePlugin('performs_badly')}, timeouts: { call: 300ms } }
`);
});

const ask = async (what: string): Promise<unknown> => (await server.get(`/ask/${what}`)).body;
const warnings = (): string[] =>
  server.log.filter(({ level }) => level === 'warn').map(({ message }) => message);

describe('a plugin that calls another plugin through the host', () => {
  test('gets the text of its answer, in UTF-8', async () => {
    expect(await ask('base/storage.kv')).toEqual({
      by: 'asker',
      told: { by: 'base', operation: 'storage.kv', payload: { key: 'é' } },
    });
  });

  test('need not name the plugin: the dependency that provides the operation performs it', async () => {
    expect(await ask('-/storage.kv')).toMatchObject({ told: { by: 'base', operation: 'storage.kv' } });
  });

  test('causes a call that counts for the plugin that performs it', async () => {
    const before = server.plugin('base').calls['call']?.calls ?? 0;
    await ask('base/storage.kv');
    expect(server.plugin('base').calls['call']).toEqual({ calls: before + 1, failed: 0 });
  });

  test.each([
    [
      'base/storage.drop',
      'plugin asker may not call storage.drop of base: the manifest of base does not list this operation as a capability',
    ],
    [
      'stranger/storage.kv',
      'plugin asker may not call storage.kv of stranger: its manifest declares no dependency on plugin stranger, or that plugin is missing',
    ],
  ])('gets NULL for %s, and the log has the reason', async (what, reason) => {
    expect(await ask(what)).toEqual({ by: 'asker', told: null });
    expect(warnings()).toContain(reason);
  });

  test('gets NULL when the other plugin answers NULL', async () => {
    expect(await ask('broken/do.nothing')).toEqual({ by: 'asker', told: null });
  });

  test.each([
    ['broken/do.crash', 'BW_PLUGIN_CRASHED'],
    ['broken/do.hang', 'BW_PLUGIN_TIMEOUT'],
    ['broken/do.babble', 'BW_PLUGIN_BAD_RESPONSE'],
  ])('keeps running when %s fails, and the failure counts for the other plugin', async (what, code) => {
    const asking = server.plugin('asker').processes.map(({ pid }) => pid);
    expect(await ask(what)).toEqual({ by: 'asker', told: null });
    expect(server.log).toContainEqual(
      expect.objectContaining({ fields: expect.objectContaining({ plugin: 'asker', code }) }),
    );
    expect(server.plugin('asker').processes.map(({ pid }) => pid)).toEqual(asking);
    expect(await ask('base/storage.kv')).toMatchObject({ told: { by: 'base' } });
  });
});

test('a plugin that is already part of a chain of calls is not called again', async () => {
  const circular = await startServer(`
endpoints:
  start: { path: /ask/loop/loop.forward, plugin: asker }
plugins:
  asker: ${entry('asks_circle')}
  loop: ${entry('asks_circle_back')}
  base: ${entry('needed')}
`);
  expect((await circular.get('/ask/loop/loop.forward')).body).toEqual({
    by: 'asker',
    told: { by: 'loop', told: null },
  });
  expect(circular.log.map(({ message }) => message)).toContainEqual(
    expect.stringContaining('the calls would form a circle: asker → loop → asker'),
  );
});

test('concurrent calls each get their own answer', async () => {
  const answers = await Promise.all(Array.from({ length: 100 }, () => ask('base/storage.kv')));
  for (const answer of answers) expect(answer).toMatchObject({ told: { by: 'base' } });
});
