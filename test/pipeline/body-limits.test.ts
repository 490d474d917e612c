import http from 'node:http';
import net from 'node:net';
import { describe, expect, test } from '@jest/globals';
import type { EndpointConfig } from '../../dist/config/types.js';
import type { BackworksPlugin } from '../../dist/plugins/plugin.js';
import { BODY_LIMIT, appOf, ask, problemOf, served, upstream } from '../http/served.js';
import { endpoint } from './documents/sample-request.js';
import { scriptPlugin, tracer } from './script-plugin.js';
import { proxyTarget } from '../proxy/proxy-config.js';

const proxyTo = (target: string, bodyLimitBytes: number | null = null): EndpointConfig => ({
  ...endpoint('/up/*', proxyTarget(target)),
  bodyLimitBytes,
});

/** A target that answers with the length of what it received. */
const counter: http.RequestListener = (request, response) => {
  let length = 0;
  request.on('data', (chunk: Buffer) => (length += chunk.length));
  request.on('end', () => response.end(String(length)));
};

/** Answers with the length of the body that it sees in the document. */
const measure = scriptPlugin('measure', {
  processEndpoint: async (_route, _method, json) => {
    const { body } = JSON.parse(json.toString()) as { body: string | null };
    return { status: 200, headers: {}, body: String(body?.length) };
  },
});

const FRAMINGS = {
  'announced by content-length': (length: number) => ({ 'content-length': length }),
  'sent in chunks': () => ({ 'transfer-encoding': 'chunked' }),
};

/** Sends a body to an app that proxies to `handler`. */
function post(
  length: number,
  framing: keyof typeof FRAMINGS,
  {
    bodyLimitBytes = null,
    plugins = [],
    handler = counter,
  }: { bodyLimitBytes?: number | null; plugins?: BackworksPlugin[]; handler?: http.RequestListener } = {},
) {
  return upstream(handler, (target) =>
    served(appOf([proxyTo(target, bodyLimitBytes)], plugins), ({ url }) => {
      const headers = { 'content-type': 'text/plain', ...FRAMINGS[framing](length) };
      return ask(`${url}/up/x`, { method: 'POST', headers }, 'x'.repeat(length));
    }),
  );
}

const TOO_LARGE = { status: 413, code: 'BW_REQUEST_BODY_TOO_LARGE' };
const LIMITS = [
  ['the server', BODY_LIMIT, null],
  ['an endpoint, above that of the server,', 2 * BODY_LIMIT, 2 * BODY_LIMIT],
  ['an endpoint, below that of the server,', 10, 10],
] as const;

describe.each(['announced by content-length', 'sent in chunks'] as const)('a body %s', (framing) => {
  test.each(LIMITS)(
    'passes to a target at the limit of %s and is 413 beyond it',
    async (_who, limit, bodyLimitBytes) => {
      expect((await post(limit, framing, { bodyLimitBytes })).body.toString()).toBe(String(limit));
      expect(problemOf(await post(limit + 1, framing, { bodyLimitBytes }))).toMatchObject(TOO_LARGE);
    },
  );

  test.each(LIMITS)(
    'is held for a hook at the limit of %s and is 413 beyond it',
    async (_who, limit, bodyLimitBytes) => {
      const options = { bodyLimitBytes, plugins: [tracer('t')] };
      expect((await post(limit, framing, options)).body.toString()).toBe(String(limit));
      expect(problemOf(await post(limit + 1, framing, options))).toMatchObject(TOO_LARGE);
    },
  );
});

/** Sends the beginning of a body in chunks, and the rest, beyond the limit, when the target has the beginning. */
async function passLimit(
  target: http.RequestListener,
  isAhead: (request: http.ClientRequest) => Promise<void>,
) {
  let ended = (_complete: boolean): void => undefined;
  const complete = new Promise<boolean>((resolve) => (ended = resolve));
  const handler: http.RequestListener = (request, response) => {
    request.on('error', () => undefined).once('close', () => ended(request.complete));
    target(request, response);
  };
  return upstream(handler, (url) =>
    served(appOf([proxyTo(url)]), async (listener) => {
      const headers = { 'transfer-encoding': 'chunked' };
      const request = http.request(`${listener.url}/up/x`, { method: 'POST', agent: false, headers });
      const answered = new Promise<http.IncomingMessage>((resolve) => request.once('response', resolve));
      request.on('error', () => undefined).write('x');
      await isAhead(request);
      request.write('x'.repeat(BODY_LIMIT));
      const answer = await answered;
      const body = await answer.toArray().then(
        (chunks) => Buffer.concat(chunks as Buffer[]).toString(),
        (error: Error) => error,
      );
      request.destroy();
      return { status: answer.statusCode, body, isCompleteForTarget: await complete };
    }),
  );
}

test('a streamed body that passes the limit ends the connection to the target, and the client gets the 413', async () => {
  let received = (): void => undefined;
  const arrived = new Promise<void>((resolve) => (received = resolve));
  const { status, body, isCompleteForTarget } = await passLimit(
    (request) => void request.on('data', received),
    () => arrived,
  );
  expect(JSON.parse(String(body))).toMatchObject(TOO_LARGE);
  expect([status, isCompleteForTarget]).toEqual([413, false]);
});

test('a streamed body that passes the limit breaks an answer that has begun', async () => {
  const { status, body, isCompleteForTarget } = await passLimit(
    (request, response) => {
      request.resume();
      response.writeHead(200).write('first');
    },
    (request) => new Promise((resolve) => request.once('response', () => resolve())),
  );
  expect(body).toMatchObject({ message: 'aborted' });
  expect([status, isCompleteForTarget]).toEqual([200, false]);
});

test.each([
  ['without hooks', []],
  ['with a hook that needs no bodies', [tracer('t', { body: { request: 'none' } })]],
])(
  'an announced length beyond the limit is 413 before the client sends the body and without a request to the target, %s',
  async (_how, plugins) => {
    let asked = false;
    await upstream(
      () => (asked = true),
      (target) =>
        served(appOf([proxyTo(target)], plugins), async ({ port }) => {
          const socket = net.connect(port, '127.0.0.1');
          socket.write(`POST /up/x HTTP/1.1\r\nHost: h\r\nContent-Length: ${BODY_LIMIT + 1}\r\n\r\n`);
          const first = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
          expect(first.toString()).toMatch(/^HTTP\/1.1 413 /);
          socket.destroy();
        }),
    );
    expect(asked).toBe(false);
  },
);

test('a hook that needs no bodies is not called for a length beyond the limit, but lets chunks pass up to it', async () => {
  let calls = 0;
  const hook = scriptPlugin(
    'hook',
    { beforeRequest: () => ((calls += 1), null) },
    { body: { request: 'none' } },
  );
  expect(
    problemOf(await post(BODY_LIMIT + 1, 'announced by content-length', { plugins: [hook] })),
  ).toMatchObject(TOO_LARGE);
  expect(calls).toBe(0);
  expect(problemOf(await post(BODY_LIMIT + 1, 'sent in chunks', { plugins: [hook] }))).toMatchObject(
    TOO_LARGE,
  );
  expect(calls).toBe(1);
  expect((await post(BODY_LIMIT, 'sent in chunks', { plugins: [hook] })).body.toString()).toBe(
    String(BODY_LIMIT),
  );
});

test('the limit of an endpoint applies to its plugin, and requests without an endpoint have the limit of the server', async () => {
  const named: EndpointConfig = {
    ...endpoint('/small', { kind: 'plugin', plugin: 'measure' }),
    bodyLimitBytes: 10,
  };
  const large: EndpointConfig = { ...named, name: 'large', path: '/large', bodyLimitBytes: 2 * BODY_LIMIT };
  await served(appOf([named, large], [measure]), async ({ url }) => {
    const send = (path: string, length: number) =>
      ask(
        url + path,
        { method: 'POST', headers: { 'content-type': 'text/plain', 'transfer-encoding': 'chunked' } },
        'x'.repeat(length),
      );
    expect((await send('/small', 10)).body.toString()).toBe('10');
    expect(problemOf(await send('/small', 11))).toMatchObject(TOO_LARGE);
    expect((await send('/large', 2 * BODY_LIMIT)).body.toString()).toBe(String(2 * BODY_LIMIT));
    expect((await send('/nowhere', BODY_LIMIT)).body.toString()).toBe(String(BODY_LIMIT));
    expect(problemOf(await send('/nowhere', BODY_LIMIT + 1))).toMatchObject(TOO_LARGE);
  });
});
