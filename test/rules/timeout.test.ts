/** Timeouts of an endpoint, through a real server. */
import type net from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { rawAsk, rawTarget } from '../fixtures/raw-http.js';
import { eventually, startServer, type TestServer } from '../fixtures/server.js';

ownCache();
let server: TestServer | undefined;
afterEach(async () => {
  await server?.backworks.stop();
  server = undefined;
});

test('a response that does not begin in time becomes a 504, and the target is let go', async () => {
  const sockets: net.Socket[] = [];
  const silent = await rawTarget((_head, socket) => {
    sockets.push(socket);
    return '';
  });
  server = await startServer(`
endpoints:
  slow: { path: /slow, proxy: { target: ${silent.url} }, timeout: 200ms, headers: { response: { set: { x-rule: "1" } } } }
`);
  const { status, headers, body } = await server.get('/slow');
  expect([status, headers.get('x-rule')]).toEqual([504, '1']);
  expect(body).toMatchObject({
    code: 'BW_REQUEST_DEADLINE',
    detail: 'the response did not begin within 0.2 s',
  });
  await eventually(() => sockets[0]?.destroyed === true, 'the request to the target ends');
});

test('a plugin that is still working does not hold its client, and serves the next request', async () => {
  server = await startServer(`
endpoints:
  slow: { path: /slow, response: {}, hooks: [keys], timeout: 200ms }
  fast: { path: /fast, response: {}, hooks: [keys] }
plugins:
  keys: { path: ${compilePlugin('denies')}, timeouts: { call: 1s } }
`);
  expect((await server.get('/slow')).body).toMatchObject({ code: 'BW_REQUEST_DEADLINE' });
  const next = await fetch(`${server.url}/fast`, { headers: { 'x-key': 'k' } });
  expect(next.status).toBe(200);
});

test('a response that has begun is not cut off', async () => {
  const slow = await rawTarget((_head, socket) => {
    setTimeout(() => socket.write('end'), 600);
    return 'HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nbegin';
  });
  server = await startServer(`
endpoints:
  streamed: { path: /streamed, proxy: { target: ${slow.url} }, timeout: 400ms }
`);
  expect(await server.get('/streamed')).toMatchObject({ status: 200, body: 'beginend' });
});

test('an endpoint has its own time between two reads of a request body', async () => {
  server = await startServer(`
endpoints:
  upload: { path: /upload, plugin: echo, body_timeout: 200ms }
plugins:
  echo: { path: ${compilePlugin('echo')} }
`);
  const request = 'POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf';
  expect((await rawAsk(new URL(server.url).port, request)).status).toBe(408);
});
