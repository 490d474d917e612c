/** The CORS protocol, through a real server: what a browser would send, and what it needs in the answers. */
import { afterEach, expect, test } from '@jest/globals';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { rawTarget } from '../fixtures/raw-http.js';
import { startServer, type TestServer } from '../fixtures/server.js';
import { type Answer, ask } from '../http/served.js';

ownCache();
let server: TestServer | undefined;
afterEach(async () => {
  await server?.backworks.stop();
  server = undefined;
});

const APP = 'https://app.example';

function from(
  origin: string,
  path: string,
  method = 'GET',
  more: Record<string, string> = {},
): Promise<Answer> {
  return ask(server!.url + path, { method, headers: { origin, ...more } });
}

function preflight(
  path: string,
  wanted: string,
  more: Record<string, string> = {},
  origin = APP,
): Promise<Answer> {
  return from(origin, path, 'OPTIONS', { 'access-control-request-method': wanted, ...more });
}

const CORS = `
endpoints:
  orders:
    path: /orders
    methods: [GET, POST]
    hooks: [keys]
    response: { headers: { access-control-allow-origin: "*", vary: accept }, body: orders }
    cors: { origins: ["${APP}", "https://*.app.example:8443"], credentials: true, expose_headers: [ratelimit], max_age: 1h }
    rate_limit: { requests: 3, per: 1h }
  public: { path: /public, response: { body: public }, cors: { origins: ["*"], headers: [x-a], private_network: true } }
  plain: { path: /plain, response: { headers: { access-control-allow-origin: own }, body: plain } }
plugins:
  keys: { path: ${compilePlugin('denies')}, on_failure: refuse }
`;

test('a preflight request is answered before the hooks, which would refuse it', async () => {
  server = await startServer(CORS);
  const answer = await preflight('/orders', 'POST', {
    'access-control-request-headers': 'x-key, content-type',
  });
  expect(answer.status).toBe(204);
  expect(answer.headers).toMatchObject({
    'access-control-allow-origin': APP,
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'GET, POST, HEAD',
    'access-control-allow-headers': 'x-key, content-type',
    'access-control-max-age': '3600',
    vary: 'access-control-request-method, access-control-request-headers, origin',
  });
  expect(answer.headers).not.toHaveProperty('content-length');
});

test('scripts can read refusals of plugins and of the rate limit', async () => {
  server = await startServer(CORS);
  for (const status of [401, 401, 401, 429]) {
    const answer = await from(APP, '/orders');
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': APP,
      'access-control-expose-headers': 'ratelimit',
    });
  }
});

test.each([
  [APP, true],
  ['https://a.app.example:8443', true],
  ['https://a.b.app.example:8443', true],
  ['https://app.example:8443', false],
  ['https://.app.example:8443', false],
  ['https://a.app.example', false],
  ['http://a.app.example:8443', false],
  ['https://evilapp.example:8443', false],
  ['https://a.app.example:8443.evil.example', false],
  ['https://evil.example/.app.example:8443', false],
  ['null', false],
])('a script of %s may read the response: %s', async (origin, isAllowed) => {
  server = await startServer(CORS);
  const { status, headers } = await from(origin, '/orders', 'GET', { 'x-key': 'k' });
  expect(status).toBe(200);
  expect(headers['access-control-allow-origin']).toBe(isAllowed ? origin : undefined);
  expect(headers['access-control-allow-credentials']).toBe(isAllowed ? 'true' : undefined);
  expect(headers.vary).toBe('accept, origin');
});

test('a preflight request of another origin gets no permission', async () => {
  server = await startServer(CORS);
  const { status, headers } = await preflight('/orders', 'POST', {}, 'https://evil.example');
  expect(status).toBe(204);
  expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
});

test('every origin may read a public endpoint, and caches may keep the response', async () => {
  server = await startServer(CORS);
  const { headers } = await from('https://any.example', '/public');
  expect(headers['access-control-allow-origin']).toBe('*');
  expect(headers.vary).toBeUndefined();
  const asked = await preflight('/public', 'PUT', {
    'access-control-request-headers': 'x-b',
    'access-control-request-private-network': 'true',
  });
  expect(asked.headers).toMatchObject({
    'access-control-allow-methods': 'PUT',
    'access-control-allow-headers': 'x-a',
    'access-control-allow-private-network': 'true',
  });
});

test('what a client asks for cannot add headers', async () => {
  server = await startServer(CORS.replace('headers: [x-a], ', ''));
  const asked = await preflight('/public', 'A B', { 'access-control-request-headers': 'x-a;q="1"' });
  expect(asked.headers).not.toHaveProperty('access-control-allow-methods');
  expect(asked.headers).not.toHaveProperty('access-control-allow-headers');
});

test('an endpoint without cors sends what it sends', async () => {
  server = await startServer(CORS);
  expect((await from(APP, '/plain')).headers['access-control-allow-origin']).toBe('own');
});

test('server.cors covers every endpoint that has no cors, and the answers of the server itself', async () => {
  const broken = await rawTarget('nonsense\r\n\r\n');
  server = await startServer(`server:
  port: 0
  cors: { origins: ["${APP}"] }
endpoints:
  page: { path: /page, methods: [GET], response: { body: page } }
  own: { path: /own, response: { headers: { access-control-allow-origin: own } }, cors: { enabled: false } }
  proxied: { path: /proxied, proxy: { target: ${broken.url} } }
`);
  const got = async (answer: Promise<Answer>): Promise<unknown[]> => {
    const { status, headers } = await answer;
    return [status, headers['access-control-allow-origin']];
  };
  expect(await got(from(APP, '/page'))).toEqual([200, APP]);
  expect(await got(from(APP, '/page', 'DELETE'))).toEqual([405, APP]);
  expect(await got(from(APP, '/nowhere'))).toEqual([404, APP]);
  expect(await got(from(APP, '/proxied'))).toEqual([502, APP]);
  expect(await got(from(APP, '/own'))).toEqual([200, 'own']);
  expect(await got(preflight('/page', 'GET'))).toEqual([204, APP]);
  expect((await from(APP, '/page', 'OPTIONS')).headers.allow).toBe('GET, HEAD, OPTIONS');
});
