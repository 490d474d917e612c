/** The published schemas accept every document that a server hands to a plugin, and refuse others. */
import { gzipSync } from 'node:zlib';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { compilePlugin } from '../../fixtures/compile.js';
import { startServer, type TestServer } from '../../fixtures/server.js';
import { requestFaults, responseFaults } from './document-schemas.js';

let target: Server;
let server: TestServer;

beforeAll(async () => {
  target = createServer((request, response) => {
    const [type = '', body = ''] = TARGETS[request.url ?? ''] ?? [];
    response.writeHead(200, { 'content-type': type, 'set-cookie': ['a=1', 'b=2'], etag: '"1"' });
    response.end(body);
  });
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  const { port } = target.address() as AddressInfo;
  server = await startServer(`
endpoints:
  any: { path: "/any/{case}/*", plugin: echo }
  static: { path: /static, response: { status: 201, headers: { x-a: b }, body: { hello: world } } }
  empty: { path: /empty, response: { status: 204 } }
  gone: { path: /gone, plugin: silent }
  target: { path: "/target/*", proxy: { target: "http://127.0.0.1:${port}" } }
plugins:
  shows: { path: ${compilePlugin('shows_response')}, priority: 1 }
  silent: { path: ${compilePlugin('null_slots')} }
  echo: { path: ${compilePlugin('echo')} }
`);
});
afterAll(() => void target.close());

const TARGETS: Readonly<Record<string, [type: string, body: string | Buffer]>> = {
  '/target/text': ['text/html', '<p>'],
  '/target/broken': ['application/json', '{"a":'],
  '/target/image': ['image/png', Buffer.from([137, 80, 78, 71])],
  '/target/events': ['text/event-stream', 'data: 1\n\n'],
};

/** The document that after_response received; the endpoint's answer is its body. */
async function documentOf(path: string, init?: RequestInit): Promise<{ text: string; body: unknown }> {
  const response = await fetch(server.url + path, init);
  const text = (await response.text()).slice(1, -1);
  return { text, body: (JSON.parse(text) as { body: unknown }).body };
}

const post = (body: string | Uint8Array<ArrayBuffer>, type?: string, headers = {}): RequestInit => ({
  method: 'POST',
  body,
  headers: { ...(type === undefined ? {} : { 'content-type': type }), ...headers },
});

const REQUESTS: readonly (readonly [what: string, path: string, init: RequestInit])[] = [
  ['nothing', '/any/x/', {}],
  ['a query with lists', '/any/%C3%BC/b?a=1&a=2&b&=c&__proto__=d', {}],
  ['a JSON body', '/any/x/y', post('{"a": 1e400}', 'application/json')],
  ['null as JSON body', '/any/x/y', post('null', 'application/merge-patch+json')],
  ['a form', '/any/x/y', post('a=b', 'application/x-www-form-urlencoded')],
  ['an empty body', '/any/x/y', post('', 'application/json')],
  ['a body without type', '/any/x/y', post(new Uint8Array([0, 255]))],
  [
    'a compressed body',
    '/any/x/y',
    post(new Uint8Array(gzipSync('{}')), 'application/json', { 'content-encoding': 'gzip' }),
  ],
  ['another method', '/any/x/y', { method: 'PURGE' }],
];

describe('the schema of request documents accepts the document of a request with', () => {
  test.each(REQUESTS)('%s', async (_what, path, init) => {
    const { body } = await documentOf(path, init);
    expect(body).toMatchObject({ route: '/any/{case}/*', context: { echo: true } });
    expect(requestFaults(JSON.stringify(body))).toEqual([]);
  });
});

describe('the schema of response documents accepts the document of', () => {
  test.each([
    ['a plugin', '/any/x/y', 'json', 200],
    ['a static endpoint', '/static', 'json', 201],
    ['a plugin that does not answer', '/gone', 'json', 404],
    ['a request that no endpoint matches', '/nowhere', 'json', 404],
    ['a text of a target', '/target/text', 'text', 200],
    ['an image of a target', '/target/image', 'base64', 200],
    ['JSON of a target that breaks off', '/target/broken', 'text', 200],
    ['an event stream', '/target/events', 'text', 200],
  ])('%s', async (_what, path, encoding, status) => {
    const { text } = await documentOf(path);
    expect(JSON.parse(text)).toMatchObject({ status, body_encoding: encoding });
    expect(responseFaults(text)).toEqual([]);
    expect(text.includes('"body_streamed":true')).toBe(path === '/target/events');
  });
});

const REQUEST = {
  id: 'a',
  method: 'GET',
  path: '/a',
  route: null,
  params: {},
  query: { a: ['1', '2'] },
  headers: { host: 'a' },
  remote: null,
  context: {},
  body_encoding: 'text',
  body: null,
};
const RESPONSE = {
  status: 200,
  headers: {},
  context: {},
  request: { id: 'a', method: 'GET', path: '/a', route: null },
  body_encoding: 'json',
  body: null,
};

describe('the schema of request documents refuses', () => {
  test('nothing in a right document', () => expect(requestFaults(JSON.stringify(REQUEST))).toEqual([]));

  test.each(Object.keys(REQUEST))('a document without %s', (name) => {
    expect(requestFaults(JSON.stringify({ ...REQUEST, [name]: undefined }))).not.toEqual([]);
  });

  test.each([
    { path: 'a' },
    { params: { id: 7 } },
    { query: { a: 1 } },
    { headers: { Host: 'a' } },
    { context: [] },
    { body_encoding: 'binary' },
    { body: { a: 1 } },
    { body_encoding: 'base64' },
    { body_encoding: 'base64', body: 'a b' },
    { body_streamed: false },
    { body_streamed: true, body: 'a' },
    { remote: { address: '::1' } },
  ])('%j', (change) => expect(requestFaults(JSON.stringify({ ...REQUEST, ...change }))).not.toEqual([]));
});

describe('the schema of response documents refuses', () => {
  test('nothing in a right document', () => expect(responseFaults(JSON.stringify(RESPONSE))).toEqual([]));

  test.each(Object.keys(RESPONSE))('a document without %s', (name) => {
    expect(responseFaults(JSON.stringify({ ...RESPONSE, [name]: undefined }))).not.toEqual([]);
  });

  test.each([
    { status: 99 },
    { status: '200' },
    { request: { id: 'a' } },
    { headers: { a: 1 } },
    { body_encoding: 'text', body: {} },
    { body_streamed: true, body: {} },
  ])('%j', (change) => expect(responseFaults(JSON.stringify({ ...RESPONSE, ...change }))).not.toEqual([]));
});
