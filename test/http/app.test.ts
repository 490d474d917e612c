import net from 'node:net';
import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../dist/config/types.js';
import { type Log, silentLog } from '../../dist/log.js';
import { PluginOrchestrator } from '../../dist/pipeline/orchestrator.js';
import { createApp } from '../../dist/http/app.js';
import { Routes } from '../../dist/http/routes.js';
import { listen } from '../../dist/http/listen.js';
import { endpoint, staticEndpoint } from '../pipeline/documents/sample-request.js';
import { scriptPlugin } from '../pipeline/script-plugin.js';
import { BODY_LIMIT, appOf, ask, problemOf, served } from './served.js';

/** Answers with the request document it receives. */
const echo = scriptPlugin('echo', {
  processEndpoint: async (_route, _method, json) => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: json.toString(),
  }),
});
const echoEndpoint = endpoint('/echo/{word}', { kind: 'plugin', plugin: 'echo' });
const hello = staticEndpoint('/hello', 'hello', ['GET']);

test('the app answers without a socket', async () => {
  const app = appOf([hello, echoEndpoint], [echo]);

  const plain = await app.request('/hello');
  expect(plain.status).toBe(200);
  expect(plain.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  expect(await plain.text()).toBe('hello');

  const posted = await app.request('/echo/x?a=1', {
    method: 'POST',
    body: '{"n": 1.50}',
    headers: { 'content-type': 'application/json', 'X-Request-ID': 'given-1' },
  });
  expect(posted.headers.get('x-request-id')).toBe('given-1');
  const text = await posted.text();
  expect(text).toContain('"body":{"n": 1.50}');
  expect(JSON.parse(text)).toMatchObject({
    id: 'given-1',
    method: 'POST',
    path: '/echo/x',
    query: { a: '1' },
    remote: null,
  });
});

test('a request over a socket has the client’s address and every header in its document', async () => {
  await served(appOf([echoEndpoint], [echo]), async ({ url }) => {
    const answer = await ask(`${url}/echo/caf%C3%A9`, { headers: { 'X-Many': ['1', '2'] } });
    const document = JSON.parse(answer.body.toString()) as JsonObject;
    expect(document).toMatchObject({
      path: '/echo/caf%C3%A9',
      params: { word: 'café' },
      remote: { address: '127.0.0.1' },
    });
    expect(document.headers).toMatchObject({ 'x-many': '1, 2', host: url.slice('http://'.length) });
  });
});

test.each([[''], ['two words'], ['x'.repeat(129)], ['ümlaut']])(
  'replaces the request id %j by a new one',
  async (given) => {
    await served(appOf([hello]), async ({ url }) => {
      const { headers } = await ask(`${url}/hello`, {
        headers: { 'x-request-id': Buffer.from(given).toString('latin1') },
      });
      expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    });
  },
);

test('HEAD is answered as GET without a body, OPTIONS lists the methods, and other methods are 405', async () => {
  await served(appOf([hello]), async ({ url }) => {
    const head = await ask(`${url}/hello`, { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, headers: { 'content-length': '5' } });
    expect(head.body).toHaveLength(0);

    const options = await ask(`${url}/hello`, { method: 'OPTIONS' });
    expect(options).toMatchObject({ status: 204, headers: { allow: 'GET, HEAD, OPTIONS' } });

    const wrong = await ask(`${url}/hello`, { method: 'DELETE' });
    expect(wrong).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD, OPTIONS', 'content-type': 'application/problem+json' },
    });
    expect(problemOf(wrong)).toMatchObject({
      type: 'urn:backworks:error:BW_ROUTE_METHOD',
      status: 405,
      instance: '/hello',
      request_id: wrong.headers['x-request-id'],
    });
  });
});

test('keeps several set-cookie headers separate', async () => {
  const cookies = scriptPlugin('cookies', {
    processEndpoint: async () => ({
      status: 200,
      headers: { 'set-cookie': ['a=1', 'b=2'] },
      body: Buffer.from('x'),
    }),
  });
  await served(appOf([], [cookies]), async ({ url }) => {
    expect((await ask(url)).headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect((await ask(url, { method: 'HEAD' })).headers['set-cookie']).toEqual(['a=1', 'b=2']);
  });
});

test('sends no body with a status that has none', async () => {
  const chatty = scriptPlugin('chatty', {
    processEndpoint: async (route) => ({
      status: Number(route.slice(1)),
      headers: {},
      body: 'not to be sent',
    }),
  });
  const app = appOf([], [chatty]);
  for (const status of [204, 205, 304]) {
    const response = await app.request(`/${status}`);
    expect(response.status).toBe(status);
    expect(await response.text()).toBe('');
  }
});

test('refuses bodies it cannot read, with the reason', async () => {
  const post = (url: string, headers: Record<string, string>, body: string | Buffer) =>
    ask(`${url}/echo/x`, { method: 'POST', headers }, body);
  await served(appOf([echoEndpoint], [echo]), async ({ url }) => {
    expect(problemOf(await post(url, { 'content-type': 'application/json' }, '{'))).toMatchObject({
      status: 400,
    });
    expect(problemOf(await post(url, { 'content-type': 'text/plain' }, Buffer.from([0xff])))).toMatchObject({
      status: 400,
    });
    expect((await post(url, { 'content-encoding': 'gzip' }, 'x')).status).toBe(200);
    expect(
      problemOf(await post(url, { 'content-type': 'text/plain; charset=ISO-8859-1' }, 'x')),
    ).toMatchObject({
      status: 415,
      code: 'BW_REQUEST_MEDIA_TYPE',
    });
    expect((await post(url, { 'content-type': 'text/plain; charset="UTF-8"' }, 'x')).status).toBe(200);
  });
});

test('accepts a body at the limit and answers 413 to a longer one, whether its length was announced or not', async () => {
  await served(appOf([echoEndpoint], [echo]), async ({ url }) => {
    const post = (length: number, headers: Record<string, string | number>) =>
      ask(`${url}/echo/x`, { method: 'POST', headers }, 'x'.repeat(length));

    expect((await post(BODY_LIMIT, { 'content-length': BODY_LIMIT })).status).toBe(200);
    const announced = await post(BODY_LIMIT + 1, { 'content-length': BODY_LIMIT + 1 });
    expect(problemOf(announced)).toMatchObject({ status: 413, code: 'BW_REQUEST_BODY_TOO_LARGE' });
    const chunked = await post(BODY_LIMIT + 1, { 'transfer-encoding': 'chunked' });
    expect(problemOf(chunked)).toMatchObject({ status: 413 });
  });
});

test('refuses a content-length beyond the limit before the client sends the body', async () => {
  await served(appOf([echoEndpoint], [echo]), async ({ port }) => {
    const head = `POST /echo/x HTTP/1.1\r\nHost: h\r\nContent-Length: ${BODY_LIMIT + 1}\r\n\r\n`;
    expect(await firstLine(port, head)).toBe('HTTP/1.1 413 Payload Too Large');
  });
});

test.each([
  ['a malformed path', 'GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n'],
  ['a malformed target', 'GET /a\\b HTTP/1.1\r\nHost: h\r\n\r\n'],
  ['a malformed host', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n'],
])('answers 400 to %s and keeps serving', async (_what, request) => {
  await served(appOf([hello]), async ({ port, url }) => {
    expect(await firstLine(port, request)).toBe('HTTP/1.1 400 Bad Request');
    expect((await ask(`${url}/hello`)).status).toBe(200);
  });
});

test.each(['/x/../hello', '/x/%2e%2e/hello', '/./hello?a'])('resolves %s to /hello', async (target) => {
  await served(appOf([hello]), async ({ port }) => {
    expect(await firstLine(port, `GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`)).toBe('HTTP/1.1 200 OK');
  });
});

test('cleans up after a client that disconnects within its body', async () => {
  await served(appOf([echoEndpoint], [echo]), async ({ port, url }) => {
    const socket = net.connect(port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.end('POST /echo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf');
    socket.resume();
    await closed;
    expect((await ask(`${url}/echo/x`)).status).toBe(200);
  });
});

test('answers 500 to a defect, without details for the client and with all details in the log', async () => {
  const defect = new Error('secret detail');
  const logged: object[] = [];
  const log: Log = { ...silentLog, error: (fields) => void logged.push(fields) };
  const orchestrator = new PluginOrchestrator({
    bodyLimitBytes: 1,
    bodyTimeoutMs: 30_000,
    offersUnmatched: () => true,
    log,
  });
  orchestrator.handle = () => Promise.reject(defect);
  const response = await createApp({ routes: () => new Routes([]), orchestrator, log }).request('/x');

  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('secret');
  expect(logged).toEqual([{ requestId: response.headers.get('x-request-id'), path: '/x', err: defect }]);
});

test('answers with a problem document when node-server rejects a request', async () => {
  const listener = await listen(appOf([hello]), { host: '127.0.0.1', port: 0 });
  const answer = await ask(listener.url, { headers: { host: 'a b' } });
  await listener.close();
  expect(problemOf(answer)).toMatchObject({ status: 400, code: 'BW_REQUEST_INVALID' });
});

/** Sends bytes as they are and reads the status line of the answer. */
function firstLine(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(request));
    let received = '';
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const end = received.indexOf('\r\n');
      if (end === -1) return;
      socket.destroy();
      resolve(received.slice(0, end));
    });
  });
}
