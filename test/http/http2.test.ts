/** Requests over HTTP/2 without TLS (prior knowledge): they get the answers that HTTP/1 gives. */
import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { scriptPlugin } from '../pipeline/script-plugin.js';
import { endpoint, staticEndpoint } from '../pipeline/documents/sample-request.js';
import { listen, type Listener, type ListenOptions } from '../../dist/http/listen.js';
import { proxyTarget } from '../proxy/proxy-config.js';
import { eventually } from '../fixtures/server.js';
import {
  answerOn,
  connect,
  END_HEADERS,
  FRAME,
  frame,
  type Http2Answer,
  RawClient,
  request,
  requestBlock,
} from './http2-client.js';
import { appOf, ask, BODY_LIMIT, upstream } from './served.js';

jest.setTimeout(60_000);

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function serve(app: ReturnType<typeof appOf>, options: Partial<ListenOptions> = {}): Promise<Listener> {
  const http2Config = { accept: 'always', maxStreams: 128 } as const;
  const listener = await listen(app, { host: '127.0.0.1', port: 0, http2: http2Config, ...options });
  open.push({ close: () => listener.close({ timeoutMs: 0 }) });
  return listener;
}

function client({ url }: Listener): http2.ClientHttp2Session {
  const session = connect(url);
  open.push({ close: () => session.destroy() });
  return session;
}

const echo = scriptPlugin('echo', {
  processEndpoint: async (_endpoint, _method, document) => ({
    status: 200,
    headers: { 'content-type': 'application/json', 'set-cookie': ['a=1', 'b=2'] },
    body: document.toString(),
  }),
});
const empty = scriptPlugin('empty', {
  processEndpoint: async (_endpoint, _method, document) => {
    const { path } = JSON.parse(document.toString()) as { path: string };
    return { status: Number(path.slice(1)), headers: {}, body: null };
  },
});

describe('a request over HTTP/2 gets what a request over HTTP/1 gets', () => {
  const endpoints = [
    staticEndpoint('/hello', 'hello'),
    endpoint('/only-get', { kind: 'plugin', plugin: 'echo' }, ['GET']),
  ];
  const withoutChanging = (headers: object): object =>
    Object.fromEntries(
      Object.entries(headers).filter(
        ([name]) => !/^(:status|date|connection|keep-alive|transfer-encoding|x-request-id)$/.test(name),
      ),
    );

  test.each<[string, string, string, string | undefined]>([
    ['a static response', 'GET', '/hello', undefined],
    ['HEAD', 'HEAD', '/hello', undefined],
    ['a path without an endpoint', 'GET', '/none', undefined],
    ['a method that the endpoint does not allow', 'DELETE', '/only-get', undefined],
    ['OPTIONS', 'OPTIONS', '/only-get', undefined],
    ['OPTIONS *', 'OPTIONS', '*', undefined],
    ['a target that has to be normalized', 'GET', '/a/../hello', undefined],
    ['a target with characters that a URL escapes', 'GET', '/hello?x={y}', undefined],
    ['a body', 'POST', '/hello', 'text'],
    ['a body that is too long', 'POST', '/only-post', 'x'.repeat(BODY_LIMIT + 1)],
  ])('%s', async (_what, method, path, body) => {
    const listener = await serve(
      appOf([...endpoints, endpoint('/only-post', { kind: 'plugin', plugin: 'echo' }, ['POST'])], [echo]),
    );
    const { port } = new URL(listener.url);
    const old = await ask(
      listener.url,
      { method, path, headers: body === undefined ? {} : { 'content-type': 'text/plain' } },
      body,
    );
    const head = { ':method': method, ':path': path, ':authority': `127.0.0.1:${port}` };
    const type = body === undefined ? {} : { 'content-type': 'text/plain' };
    const now = await request(client(listener), { ...head, ...type }, body);
    expect(now.status).toBe(old.status);
    expect(withoutChanging(now.headers)).toEqual(withoutChanging(old.headers));
    expect(now.headers['x-request-id']).toEqual(expect.any(String));
    const same = (text: string): string =>
      text.replace(/"request_?id":"[^"]*"|[0-9a-f-]{36}|"port":\d+/gi, '');
    expect(same(now.body)).toBe(same(old.body.toString()));
  });

  test.each([204, 205, 304])('status %i has no body', async (status) => {
    const listener = await serve(appOf([], [empty]));
    const answer = await request(client(listener), { ':path': `/${status}` });
    expect(answer).toMatchObject({ status, body: '' });
  });

  test('a document has the authority as host, joined cookies and no pseudo-header', async () => {
    const listener = await serve(appOf([], [echo]));
    const { body, headers } = await request(
      client(listener),
      {
        ':path': '/x?q=1',
        ':method': 'POST',
        ':authority': 'shop.example',
        cookie: ['a=1', 'b=2'],
        te: 'trailers',
        'content-type': 'text/plain',
      },
      'text',
    );
    const document = JSON.parse(body) as { headers: object };
    expect(document).toMatchObject({ method: 'POST', path: '/x', query: { q: '1' }, body: 'text' });
    expect(document.headers).toEqual({
      host: 'shop.example',
      cookie: 'a=1; b=2',
      'content-type': 'text/plain',
    });
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2']);
  });

  test('a client may keep its own request id', async () => {
    const listener = await serve(appOf([staticEndpoint('/hello', 'hello')]));
    const { headers } = await request(client(listener), { ':path': '/hello', 'x-request-id': 'mine' });
    expect(headers['x-request-id']).toBe('mine');
  });

  test('a streamed response arrives whole, and a failing one is reset', async () => {
    const streams = scriptPlugin('streams', {
      processEndpoint: async (_endpoint, _method, document) => {
        const fails = document.toString().includes('/fails');
        const body = Readable.from(
          (async function* () {
            for (let i = 0; i < 50; i += 1) yield Buffer.alloc(10_000, 97);
            if (fails) throw new Error('cut off');
          })(),
        );
        return { status: 200, headers: {}, body };
      },
    });
    const listener = await serve(appOf([], [streams]));
    const session = client(listener);
    expect((await request(session, { ':path': '/works' })).body).toHaveLength(500_000);
    await expect(request(session, { ':path': '/fails' })).rejects.toThrow(/Stream closed with error code/);
    expect((await request(session, { ':path': '/works' })).status).toBe(200);
  });
});

test('a Host header that differs from the authority is refused', async () => {
  const listener = await serve(appOf([staticEndpoint('/', 'x')]));
  const headers = { ':authority': 'a.example', host: 'b.example' };
  expect(await request(client(listener), headers)).toMatchObject({ status: 400 });
});

/** The types of Node 20 do not have this option of a client. */
const WITH_TRAILERS: http2.ClientSessionRequestOptions & { waitForTrailers: boolean } = {
  waitForTrailers: true,
};

test('a proxy target gets the body and the trailers of the request', async () => {
  await upstream(
    (incoming, outgoing) => {
      let body = '';
      incoming.setEncoding('utf8').on('data', (text: string) => (body += text));
      incoming.on('end', () => outgoing.end(JSON.stringify({ body, trailers: incoming.trailers })));
    },
    async (url) => {
      const listener = await serve(appOf([endpoint('/*', proxyTarget(url, { timeoutMs: 20_000 }))]));
      const stream = client(listener).request({ ':method': 'POST', ':path': '/x' }, WITH_TRAILERS);
      const answer = answerOn(stream);
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-checksum': '1' }));
      stream.end('streamed');
      expect(JSON.parse((await answer).body)).toMatchObject({
        body: 'streamed',
        trailers: { 'x-checksum': '1' },
      });
    },
  );
});

describe('a client that takes a request back', () => {
  test.each([
    ['with CANCEL', http2.constants.NGHTTP2_CANCEL],
    ['with NO_ERROR', http2.constants.NGHTTP2_NO_ERROR],
  ])('within the body, %s: nobody sees a shorter body', async (_how, code) => {
    const bodies: string[] = [];
    const collects = scriptPlugin('collects', {
      processEndpoint: async (_endpoint, _method, document) => {
        bodies.push(document.toString());
        return { status: 200, headers: {}, body: null };
      },
    });
    const seen: string[] = [];
    let received = 0;
    await upstream(
      (incoming, outgoing) => {
        incoming.on('data', (chunk: Buffer) => (received += chunk.length));
        incoming.on('end', () => seen.push('whole')).on('aborted', () => seen.push('aborted'));
        incoming.on('error', () => undefined);
        incoming.on('end', () => outgoing.end());
      },
      async (url) => {
        const listener = await serve(
          appOf([endpoint('/up', proxyTarget(url, { timeoutMs: 20_000 }))], [collects]),
        );
        // Node's own client would complete the body before it resets the stream.
        const raw = new RawClient(listener.port);
        open.push({ close: () => raw.socket.destroy() });
        for (const [stream, path] of [
          [1, '/collected'],
          [3, '/up'],
        ] as const) {
          raw.send(frame(FRAME.headers, END_HEADERS, stream, requestBlock('POST', path)));
          raw.send(frame(FRAME.data, 0, stream, Buffer.from('half')));
          await eventually(() => stream === 1 || received > 0, 'the first half of the body');
          raw.send(frame(FRAME.reset, 0, stream, Buffer.from([0, 0, 0, code])));
        }
        await eventually(() => seen.length > 0, 'the end of the proxied request');
        const session = client(listener);
        expect(seen).toEqual(['aborted']);
        expect(
          (
            await request(
              session,
              { ':method': 'POST', ':path': '/collected', 'content-type': 'text/plain' },
              'whole',
            )
          ).status,
        ).toBe(200);
        expect(bodies.map((text) => (JSON.parse(text) as { body: string }).body)).toEqual(['whole']);
      },
    );
  });

  test('no further hook is called for it', async () => {
    let called = 0;
    let begun = (): void => undefined;
    const running = new Promise<void>((resolve) => (begun = resolve));
    let answer = (): void => undefined;
    const held = new Promise<void>((resolve) => (answer = resolve));
    const slow = scriptPlugin('slow', {
      processEndpoint: async () => {
        begun();
        await held;
        return { status: 200, headers: {}, body: 'x' };
      },
      afterResponse: async () => {
        called += 1;
        return null;
      },
    });
    const listener = await serve(appOf([], [slow]));
    const session = client(listener);
    const stream = session.request({ ':path': '/' }).on('error', () => undefined);
    await running;
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await once(stream, 'close');
    await new Promise((resolve) => setTimeout(resolve, 100));
    answer();
    expect((await request(session, { ':path': '/again' })).status).toBe(200);
    expect(called).toBe(1);
  });
});

describe('one port for both protocols', () => {
  test('HTTP/1 is answered as before', async () => {
    const listener = await serve(appOf([staticEndpoint('/hello', 'hello')]));
    expect((await ask(`${listener.url}/hello`)).body.toString()).toBe('hello');
  });

  test('the protocol is recognized however its first bytes arrive', async () => {
    const listener = await serve(appOf([staticEndpoint('/PR', 'hello')]));
    const socket = net.connect(listener.port, '127.0.0.1');
    open.push({ close: () => socket.destroy() });
    let received = '';
    socket.setNoDelay().on('data', (chunk: Buffer) => (received += chunk.toString()));
    // "PROPFIND" begins like the preface of HTTP/2.
    for (const letter of 'PROPFIND /PR HTTP/1.1\r\nHost: h\r\n\r\n') {
      socket.write(letter);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(() => received.includes('\r\n\r\n'), 'an answer');
    expect(received).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('a client that sends nothing loses its connection after the header timeout', async () => {
    const listener = await serve(appOf([]), { connections: { headerTimeoutMs: 200 } });
    const silent = net.connect(listener.port, '127.0.0.1');
    const partial = net.connect(listener.port, '127.0.0.1');
    partial.write('PRI * HT');
    await Promise.all([once(silent, 'close'), once(partial, 'close')]);
  });

  test('accept: never leaves the preface to HTTP/1, which refuses it', async () => {
    const listener = await serve(appOf([]), { http2: { accept: 'never', maxStreams: 1 } });
    const session = http2.connect(listener.url);
    const [error] = (await once(session, 'error')) as [Error];
    expect(error).toBeDefined();
  });
});

test('draining answers requests in flight, announces the end and closes the connection', async () => {
  let answer = (): void => undefined;
  let reached = (): void => undefined;
  const released = new Promise<void>((resolve) => (answer = resolve));
  const running = new Promise<void>((resolve) => (reached = resolve));
  const slow = scriptPlugin('slow', {
    processEndpoint: async () => {
      reached();
      await released;
      return { status: 200, headers: {}, body: 'finished' };
    },
  });
  const listener = await serve(appOf([], [slow]));
  const session = client(listener);
  const ended = once(session, 'close');
  const announced = once(session, 'goaway');
  const pending: Promise<Http2Answer> = request(session, { ':path': '/slow' });
  await running;
  const closed = listener.close({ timeoutMs: 60_000 });
  await announced;
  answer();
  expect((await pending).body).toBe('finished');
  await ended;
  await closed;
});
