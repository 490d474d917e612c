/** Header rules of the server and of endpoints, through a real server. */
import { afterEach, expect, test } from '@jest/globals';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { header, rawAsk, rawTarget } from '../fixtures/raw-http.js';
import { startServer, type TestServer } from '../fixtures/server.js';

ownCache();
let server: TestServer | undefined;
afterEach(async () => {
  await server?.backworks.stop();
  server = undefined;
});

const port = (): string => new URL(server!.url).port;

const EVERYWHERE = `server:
  port: 0
  headers:
    response: { set: { X-Frame-Options: DENY } }
`;

test('an endpoint removes, sets and adds headers of its responses, in this order', async () => {
  server = await startServer(`
endpoints:
  page:
    path: /page
    response: { headers: { x-gone: "1", x-old: "1", vary: accept, set-cookie: a=1 }, body: text }
    headers:
      response:
        remove: [X-Gone]
        set: { X-Old: "2", cache-control: no-store }
        add: { vary: origin, x-new: n, set-cookie: b=2, cache-control: private }
  other: { path: /other, response: { headers: { x-gone: "1" }, body: text } }
`);
  const { headers } = await server.get('/page');
  expect(headers.get('x-gone')).toBeNull();
  expect(headers.get('x-old')).toBe('2');
  expect(headers.get('vary')).toBe('accept, origin');
  expect(headers.get('x-new')).toBe('n');
  expect(headers.get('cache-control')).toBe('no-store, private');
  expect(headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  expect((await server.get('/other')).headers.get('x-gone')).toBe('1');
});

test('proxy targets and plugins get the request that the rules leave', async () => {
  const target = await rawTarget('HTTP/1.1 200 OK\r\nserver: target\r\ncontent-length: 0\r\n\r\n');
  server = await startServer(`
endpoints:
  proxied:
    path: /proxied
    proxy: { target: ${target.url} }
    headers: &rules
      request: { remove: [x-user], set: { x-edge: "1" }, add: { accept: text/plain } }
      response: { remove: [server] }
  echoed: { path: /echoed, plugin: echo, headers: *rules }
plugins:
  echo: { path: ${compilePlugin('echo')} }
`);
  const ask = (path: string) =>
    fetch(server!.url + path, { headers: { 'X-User': 'root', 'x-edge': '0', accept: 'text/html' } });
  const proxied = await ask('/proxied');
  expect(proxied.headers.get('server')).toBeNull();
  expect(target.received[0]).toContain('x-edge: 1\r\n');
  expect(target.received[0]).toContain('accept: text/html, text/plain\r\n');
  expect(target.received[0]).not.toMatch(/x-user/i);
  const { headers } = (await (await ask('/echoed')).json()) as { headers: Record<string, string> };
  expect(headers).toMatchObject({ 'x-edge': '1', accept: 'text/html, text/plain' });
  expect(headers).not.toHaveProperty('x-user');
});

test('a header of server.headers is on every response, whoever gives it', async () => {
  const broken = await rawTarget('nonsense\r\n\r\n');
  server = await startServer(`${EVERYWHERE}  body_limit: 1KiB
endpoints:
  page: { path: /page, methods: [GET], response: { body: text } }
  large: { path: /large, plugin: echo }
  proxied: { path: /proxied, proxy: { target: ${broken.url} } }
plugins:
  echo: { path: ${compilePlugin('echo')} }
`);
  const head = 'Host: a\r\nConnection: close\r\n';
  const asked: [status: number, request: string][] = [
    [200, `GET /page HTTP/1.1\r\n${head}\r\n`],
    [404, `GET /nowhere HTTP/1.1\r\n${head}\r\n`],
    [405, `DELETE /page HTTP/1.1\r\n${head}\r\n`],
    [204, `OPTIONS /page HTTP/1.1\r\n${head}\r\n`],
    [204, `OPTIONS * HTTP/1.1\r\n${head}\r\n`],
    [413, `POST /large HTTP/1.1\r\n${head}Content-Length: 2000\r\n\r\n`],
    [502, `GET /proxied HTTP/1.1\r\n${head}\r\n`],
    [501, `GET /page HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\n\r\n`],
    [400, `GET /%zz HTTP/1.1\r\n${head}\r\n`],
    [400, `GET /page HTTP/1.1\r\nConnection: close\r\n\r\n`],
  ];
  for (const [status, request] of asked) {
    const answer = await rawAsk(port(), request);
    expect([request, answer.status, header(answer, 'x-frame-options')]).toEqual([request, status, 'DENY']);
  }
});

test('rules of the endpoint apply after those of the server', async () => {
  server = await startServer(`${EVERYWHERE}
endpoints:
  framed: { path: /framed, response: {}, headers: { response: { remove: [x-frame-options] } } }
  page: { path: /page, response: {} }
`);
  expect((await server.get('/framed')).headers.get('x-frame-options')).toBeNull();
  expect((await server.get('/page')).headers.get('x-frame-options')).toBe('DENY');
});

test('a reload changes the rules for the requests that follow', async () => {
  server = await startServer(`${EVERYWHERE}endpoints:\n  page: { path: /page, response: {} }\n`);
  const report = await server.change('endpoints:\n  page: { path: /page, response: {} }\n');
  expect(report).toMatchObject({ settings: ['server.headers'], needsRestart: [] });
  expect((await server.get('/page')).headers.get('x-frame-options')).toBeNull();
});
