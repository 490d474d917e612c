import { afterEach, expect, test } from '@jest/globals';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { startServer, type TestServer } from '../fixtures/server.js';

/** What the failure of a plugin with before_request does to a request. */
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
    'plugin keys has denied a request with 401, and when it fails, requests pass without it — ' +
      'set plugins.keys.on_failure: refuse to refuse them instead',
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

const OK =
  'endpoints: { ok: { path: /ok, response: { body: open } }, crash: { path: /crash, response: { body: open } } }';

test.each([
  ['a security capability', '', 'refuse', 503],
  ['a security capability and on_failure: skip', 'on_failure: skip', 'skip', 200],
  ['critical: true and on_failure: skip', 'critical: true, on_failure: skip', 'skip', 200],
])('a plugin with %s', async (_, policy, onFailure, status) => {
  server = await startServer(`${OK}\nplugins: { guard: { path: ${compilePlugin('security')}, ${policy} } }`);
  expect(server.plugin('guard')).toMatchObject({ onFailure, failsOpen: onFailure === 'skip' });
  expect(await server.get('/ok')).toMatchObject({ status: 200, body: 'open' });
  expect(await server.get('/crash')).toMatchObject({ status });
});

test('on_failure: refuse refuses requests while a plugin does not start, and leaves the server running', async () => {
  const broken = compilePlugin('security');
  server = await startServer(
    `${OK}\nplugins: { guard: { path: ${broken}, on_failure: refuse, config: { starts: false } } }`,
  );
  expect(server.plugin('guard')).toMatchObject({ state: 'failed', critical: false, onFailure: 'refuse' });
  const refused = { status: 503, body: { code: 'BW_PLUGIN_UNAVAILABLE', plugin: 'guard' } };
  expect(await server.get('/ok')).toMatchObject(refused);

  // Processes stay when only the policy changes.
  await server.change(
    `${OK}\nplugins: { guard: { path: ${broken}, on_failure: skip, config: { starts: false } } }`,
  );
  expect(await server.get('/ok')).toMatchObject({ status: 200, body: 'open' });
});

test('on_failure: refuse refuses requests when there is no library to describe', async () => {
  server = await startServer(`${OK}\nplugins: { guard: { path: /nowhere/libguard.so, on_failure: refuse } }`);
  expect(await server.get('/ok')).toMatchObject({
    status: 503,
    body: { code: 'BW_PLUGIN_UNAVAILABLE', plugin: 'guard' },
  });
});
