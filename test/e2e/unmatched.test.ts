import { beforeAll, expect, test } from '@jest/globals';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { startServer, type TestServer } from '../fixtures/server.js';

/** Requests that no endpoint matches, over a real socket. */
ownCache();
const HELLO = 'hello: { path: /hello, methods: [GET], plugin: hello }';
const configuration = (server: string, endpoints = HELLO): string => `server: { port: 0, ${server} }
endpoints: { ${endpoints} }
plugins:
  hello: { path: ${compilePlugin('config_echo')}, config: { from: hello } }
  gate: { path: ${compilePlugin('tag')}, config: { tag: gate } }
`;
let server: TestServer;
beforeAll(async () => {
  server = await startServer(configuration(''));
});

async function send(method: string, path: string) {
  const response = await fetch(server.url + path, { method });
  return { status: response.status, gate: response.headers.get('x-gate'), body: await response.json() };
}

const notFound = { status: 404, body: { code: 'BW_ROUTE_NOT_FOUND' } };
const answered = { status: 200, body: { from: 'hello' } };

test('a plugin that an endpoint names answers that endpoint and nothing else', async () => {
  expect(await send('GET', '/hello')).toMatchObject(answered);
  expect(await send('DELETE', '/etc/passwd')).toMatchObject(notFound);
  expect(await send('GET', '/hello/again')).toMatchObject(notFound);
  expect(await send('DELETE', '/hello')).toMatchObject({ status: 405, body: { code: 'BW_ROUTE_METHOD' } });
});

test('hooks see a request that no endpoint matches, before and after its 404', async () => {
  expect(await send('GET', '/nowhere')).toMatchObject({ ...notFound, gate: 'seen' });
  expect(await send('GET', '/stop-at-gate')).toMatchObject({ status: 403, body: { by: 'gate' } });
});

test('a reload changes at once who answers requests that no endpoint matches', async () => {
  const report = await server.change(configuration('unmatched: plugins'));
  expect(report).toMatchObject({ settings: ['server.unmatched'], needsRestart: [] });
  expect(await send('DELETE', '/etc/passwd')).toMatchObject(answered);
  await server.change(configuration('unmatched: not-found', 'static: { path: /s, response: { body: 1 } }'));
  expect(await send('GET', '/free')).toMatchObject({ ...notFound, gate: 'seen' });
  // No endpoint names the plugin any more.
  await server.change(configuration('', 'static: { path: /s, response: { body: 1 } }'));
  expect(await send('GET', '/free')).toMatchObject(answered);
  await server.change(configuration(''));
  expect(await send('GET', '/free')).toMatchObject(notFound);
});
