/** Redirects: endpoints that send clients elsewhere, and requests that did not come over TLS. */
import { afterEach, expect, test } from '@jest/globals';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { header, rawAsk } from '../fixtures/raw-http.js';
import { startServer, type TestServer } from '../fixtures/server.js';

ownCache();
let server: TestServer | undefined;
afterEach(async () => {
  await server?.backworks.stop();
  server = undefined;
});

async function locationOf(path: string, head = ''): Promise<[status: number, location: string | undefined]> {
  const request = `GET ${path} HTTP/1.1\r\nHost: edge.example:8080\r\nConnection: close\r\n${head}\r\n`;
  const answer = await rawAsk(new URL(server!.url).port, request);
  return [answer.status, header(answer, 'location')];
}

const REDIRECTS = `
endpoints:
  item: { path: "/items/{id}", redirect: { to: "/products/{id}", status: 308 } }
  twice: { path: "/twice/{id}", redirect: { to: "https://a.example/{id}?id={id}#{id}" } }
  rest: { path: "/rest/*", redirect: { to: "https://docs.example/v2/{*}" } }
  top: { path: "/top/*", redirect: { to: "/{*}" } }
  first: { path: "/first/{a}", redirect: { to: "/{a}" } }
  dropped: { path: /dropped, redirect: { to: "/", query: drop } }
`;

test('a redirect fills in parameters and keeps the query', async () => {
  server = await startServer(REDIRECTS);
  expect(await locationOf('/items/a%2Fb%20c?x=1')).toEqual([308, '/products/a%2Fb%20c?x=1']);
  expect(await locationOf('/rest/a/b%20c?x=1&y')).toEqual([307, 'https://docs.example/v2/a/b%20c?x=1&y']);
  expect(await locationOf('/twice/7?x=1')).toEqual([307, 'https://a.example/7?id=7&x=1#{id}']);
  expect(await locationOf('/dropped?x=1')).toEqual([307, '/']);
});

test.each([
  ['/top//evil.example', '/evil.example'],
  ['/top/%2F%2Fevil.example', '/%2F%2Fevil.example'],
  ['/first/%2F%2Fevil.example', '/%2F%2Fevil.example'],
  ['/first/%5Cevil.example', '/%5Cevil.example'],
  ['/first/%0d%0aset-cookie:a', '/%0D%0Aset-cookie%3Aa'],
])('a path cannot send its client to another host: %s', async (path, expected) => {
  server = await startServer(REDIRECTS);
  const [status, location] = await locationOf(path);
  expect([status, location]).toEqual([307, expected]);
  expect(new URL(location!, 'http://edge.example').host).toBe('edge.example');
});

test('a plugin of the endpoint can refuse the request instead', async () => {
  server = await startServer(`
endpoints:
  moved: { path: /moved, hooks: [keys], redirect: { to: /new } }
plugins:
  keys: { path: ${compilePlugin('denies')}, on_failure: refuse }
`);
  expect((await locationOf('/moved'))[0]).toBe(401);
});

test('requests that did not come over TLS go to https, except where the endpoint allows them', async () => {
  server = await startServer(`server:
  port: 0
  plain_http: redirect
  trust_proxy: { addresses: [127.0.0.1] }
endpoints:
  page: { path: "/page/*", response: { body: page } }
  health: { path: /health, response: {}, plain_http: allow }
`);
  expect(await locationOf('/page/a?b=c')).toEqual([308, 'https://edge.example/page/a?b=c']);
  expect(await locationOf('/nowhere')).toEqual([308, 'https://edge.example/nowhere']);
  expect(await locationOf('/health')).toEqual([200, undefined]);
  const overTls = 'X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n';
  expect(await locationOf('/page/a', overTls)).toEqual([200, undefined]);
});
