import { afterEach, describe, expect, test } from '@jest/globals';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually, startServer, type TestServer } from '../fixtures/server.js';

/** Requests while a plugin with a hook for every request is out of service. */
ownCache();
const TOKEN = 'planted-token-that-controls';
let server: TestServer;

afterEach(() => server.backworks.stop());

/** Starts a server and crashes its plugin, which has a hook for every request, into quarantine. */
async function confined(critical: boolean): Promise<void> {
  server = await startServer(
    `
endpoints:
  ok: { path: /ok, response: { body: open } }
  crash: { path: /crash, response: { body: open } }
plugins:
  guard:
    path: ${compilePlugin('guard')}
    critical: ${critical}
    quarantine: { failures: 2, window: 1m }
    restart: { delay: 1ms, max_delay: 1ms }
`,
    { admin: `token: ${TOKEN}` },
  );
  expect(await server.get('/ok')).toMatchObject({ status: 200 });
  for (let crashes = 0; crashes < 2; crashes++) {
    await server.get('/crash');
    await eventually(() => server.plugin('guard').state !== 'degraded', 'an outcome');
  }
  await eventually(() => server.plugin('guard').state === 'failed', 'quarantine');
}

async function post(action: string): Promise<number> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  return (await fetch(`${server.adminUrl}/plugins/guard/${action}`, { method: 'POST', headers })).status;
}

describe('a critical plugin in quarantine', () => {
  const refused = { status: 503, body: { code: 'BW_PLUGIN_QUARANTINED', plugin: 'guard' } };

  test('refuses every request until it is released', async () => {
    await confined(true);
    for (const path of ['/ok', '/crash', '/nowhere', '/ok'])
      expect(await server.get(path)).toMatchObject(refused);
    // A failed restart does not end the quarantine.
    expect(await post('restart')).toBe(503);
    expect(await server.get('/ok')).toMatchObject(refused);
    expect(await post('release')).toBe(200);
    expect(await server.get('/ok')).toMatchObject({ status: 200, body: 'open' });
  });

  test('refuses no request after an operator unloads the plugin', async () => {
    await confined(true);
    expect(await server.get('/ok')).toMatchObject(refused);
    expect(await post('unload')).toBe(200);
    expect(server.plugin('guard')).toMatchObject({ state: 'stopped', reason: 'unloaded by an operator' });
    expect(await server.get('/ok')).toMatchObject({ status: 200, body: 'open' });
  });
});

test('requests pass without an optional plugin that is in quarantine', async () => {
  await confined(false);
  expect(await server.get('/ok')).toMatchObject({ status: 200, body: 'open' });
});
