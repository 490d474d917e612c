import { afterEach, expect, test } from '@jest/globals';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { startServer, type TestServer } from '../fixtures/server.js';

/** A plugin that denies requests and is not critical: requests pass without it when it fails. */
ownCache();
let server: TestServer;
afterEach(() => server.backworks.stop());

const configuration = (critical: boolean, n = 1): string => `
endpoints: { ok: { path: /ok, response: { body: open } }, slow: { path: /slow, response: { body: open } } }
plugins:
  keys: { path: ${compilePlugin('denies')}, critical: ${critical}, config: { n: ${n} }, timeouts: { call: 200ms } }
`;
const warnings = (): string[] =>
  server.log
    .filter(({ level, message }) => level === 'warn' && message.includes('denied'))
    .map(({ message }) => message);

test('an optional plugin that denies requests causes one warning per load, and its status shows the denial', async () => {
  server = await startServer(configuration(false));
  expect(server.plugin('keys')).toMatchObject({ failsOpen: true, hasDenied: false });
  expect(await server.get('/slow')).toMatchObject({ status: 200, body: 'open' });
  expect(warnings()).toEqual([]);

  for (let request = 0; request < 3; request++)
    expect(await server.get('/ok')).toMatchObject({ status: 401 });
  expect(warnings()).toEqual([
    'plugin keys has denied a request with 401, and it is not critical: when it fails, requests pass without ' +
      'it — set plugins.keys.critical: true to refuse them instead',
  ]);
  expect(server.plugin('keys')).toMatchObject({ failsOpen: true, hasDenied: true });

  await server.change(configuration(false, 2));
  expect(server.plugin('keys')).toMatchObject({ hasDenied: false });
  await server.get('/ok');
  expect(warnings()).toHaveLength(2);
});

test('a critical plugin that denies requests causes no warning, and no request passes when the plugin fails', async () => {
  server = await startServer(configuration(true));
  expect(await server.get('/ok')).toMatchObject({ status: 401 });
  expect(server.plugin('keys')).toMatchObject({ failsOpen: false, hasDenied: true });
  expect(warnings()).toEqual([]);
  // 504 at the deadline, 503 when the machine is so slow that the call had not begun by then.
  const { status, body } = await server.get('/slow');
  expect([503, 504]).toContain(status);
  expect(body).toMatchObject({ plugin: 'keys' });
});
