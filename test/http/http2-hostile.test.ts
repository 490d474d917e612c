/** HTTP/2 clients that break rules or waste what the server has. The server answers others all the while. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { scriptPlugin } from '../pipeline/script-plugin.js';
import { staticEndpoint } from '../pipeline/documents/sample-request.js';
import { CANCELLED_MAX, SETTINGS_MAX } from '../../dist/http/http2-connection.js';
import { silentLog } from '../../dist/log.js';
import { listen, type Listener } from '../../dist/http/listen.js';
import { eventually } from '../fixtures/server.js';
import {
  connect,
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  RawClient,
  request,
  requestBlock,
} from './http2-client.js';
import { appOf } from './served.js';

jest.setTimeout(60_000);

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_CANCEL } = http2.constants;
const never = scriptPlugin('never', { processEndpoint: () => new Promise(() => undefined) });
const large = scriptPlugin('large', {
  processEndpoint: async (_endpoint, _method, document) =>
    document.toString().includes('"/large"')
      ? { status: 200, headers: {}, body: Buffer.alloc(8 * 1024 * 1024) }
      : new Promise<never>(() => undefined),
});
const MAX_STREAMS = 20;

let listener: Listener;
const warnings: string[] = [];
beforeAll(async () => {
  listener = await listen(appOf([staticEndpoint('/', 'hello')], [never]), {
    host: '127.0.0.1',
    port: 0,
    log: { ...silentLog, warn: (_fields: object, message: string) => void warnings.push(message) },
    http2: { accept: 'always', maxStreams: MAX_STREAMS },
  });
});
afterAll(() => listener.close({ timeoutMs: 0 }));

const clients: RawClient[] = [];
const raw = (port = listener.port, preface?: string | Buffer): RawClient => {
  const client = new RawClient(port, preface);
  clients.push(client);
  return client;
};

/** Whatever a client does, the next one is answered. */
async function answersOthers(): Promise<void> {
  const session = connect(listener.url);
  expect((await request(session, { ':path': '/' })).body).toBe('hello');
  session.destroy();
}
afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  await answersOthers();
});

const headers = (
  stream: number,
  flags = END_HEADERS | END_STREAM,
  block: Buffer = requestBlock('GET', '/'),
): Buffer => frame(FRAME.headers, flags, stream, block);

describe('a client loses its connection', () => {
  test('when it takes back request after request', async () => {
    const client = raw();
    for (let i = 0; i <= CANCELLED_MAX + MAX_STREAMS; i += 1) {
      const stream = 2 * i + 1;
      const code = Buffer.from([0, 0, 0, NGHTTP2_CANCEL]);
      client.send(headers(stream), frame(FRAME.reset, 0, stream, code));
      // A reset in the same read as its request would cost the server nothing.
      if (i % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await client.closed;
    expect(warnings).toEqual([expect.stringContaining(`took back more than ${CANCELLED_MAX} requests`)]);
  });

  test('when it floods the server with SETTINGS frames', async () => {
    const client = raw();
    for (let i = 0; i <= SETTINGS_MAX; i += 1) client.send(frame(FRAME.settings, 0, 0));
    await client.closed;
    expect(client.goawayCode()).toBe(NGHTTP2_ENHANCE_YOUR_CALM);
  });

  test('when it floods the server with PING frames and reads nothing', async () => {
    const client = raw();
    client.socket.pause();
    const pings = Buffer.concat(Array.from({ length: 1000 }, () => frame(FRAME.ping, 0, 0, Buffer.alloc(8))));
    const flood = setInterval(() => client.send(pings), 1);
    await client.closed;
    clearInterval(flood);
  });

  test('when a header never ends', async () => {
    const client = raw();
    client.send(headers(1, END_STREAM));
    // One literal field, split into many frames.
    const part = frame(FRAME.continuation, 0, 1, Buffer.alloc(1000, 0x61));
    const flood = setInterval(() => client.send(part, part, part, part), 1);
    await client.closed;
    clearInterval(flood);
  });

  test('when it sends endless empty DATA frames', async () => {
    const client = raw();
    client.send(headers(1, END_HEADERS));
    const flood = setInterval(
      () => client.send(...Array.from({ length: 50 }, () => frame(FRAME.data, 0, 1))),
      1,
    );
    await client.closed;
    clearInterval(flood);
  });
});

test('a header beyond the limit is refused with 431, or its stream is reset', async () => {
  const session = connect(listener.url);
  const long = { ':path': '/', 'x-long': 'x'.repeat(17 * 1024) };
  expect((await request(session, long)).status).toBe(431);
  await expect(request(session, long)).rejects.toThrow(/ENHANCE_YOUR_CALM/);
  expect((await request(session, { ':path': '/' })).status).toBe(200);
  session.destroy();
});

// A client that has acknowledged the limit breaks the protocol, and loses its connection.
test('requests beyond max_streams are refused, and the others go on', async () => {
  const client = raw();
  await eventually(() => client.frames().some(({ type }) => type === FRAME.settings), 'settings');
  const block = requestBlock('GET', '/x');
  for (let i = 0; i < MAX_STREAMS + 5; i += 1)
    client.send(headers(2 * i + 1, END_HEADERS | END_STREAM, block));
  const refused = () => client.frames().filter(({ type }) => type === FRAME.reset);
  await eventually(() => refused().length === 5, 'five refusals');
  expect(refused().map(({ payload }) => payload.readUInt32BE(0))).toEqual(
    Array.from({ length: 5 }, () => http2.constants.NGHTTP2_REFUSED_STREAM),
  );
  expect(client.socket.destroyed).toBe(false);
});

describe('with short limits', () => {
  let quick: Listener;
  beforeAll(async () => {
    quick = await listen(appOf([staticEndpoint('/', 'hello')], [large]), {
      host: '127.0.0.1',
      port: 0,
      http2: { accept: 'always', maxStreams: 100 },
      connections: { keepAliveTimeoutMs: 300, writeTimeoutMs: 300, maxRequests: 3 },
    });
  });
  afterAll(() => quick.close({ timeoutMs: 0 }));

  test('a connection without requests closes, even if its client pings or has begun a header', async () => {
    const [silent, pings, begins] = [raw(quick.port), raw(quick.port), raw(quick.port)];
    const ping = setInterval(() => pings.send(frame(FRAME.ping, 0, 0, Buffer.alloc(8))), 50);
    begins.send(headers(1, END_STREAM).subarray(0, 11));
    await Promise.all([silent.closed, pings.closed, begins.closed]);
    clearInterval(ping);
    expect(silent.goawayCode()).toBe(http2.constants.NGHTTP2_NO_ERROR);
  });

  test('a client that sends no frames behind the preface loses its connection', async () => {
    for (let i = 0; i < 100; i += 1) {
      const client = raw(quick.port);
      const size = 50 + i * 20;
      // The first bytes are the length of a frame: one that is too long, or one that never arrives.
      client.send(Buffer.concat([Buffer.from([i % 2 === 0 ? 0xff : 0x00]), randomBytes(size)]));
      client.socket.end();
    }
    await answersOthers();
    await Promise.all(clients.map(({ closed }) => closed));
  });

  test('a stream whose client stops reading is closed, and the connection serves on', async () => {
    const session = connect(quick.url);
    const stalled = session.request({ ':path': '/large' });
    // Nothing is read, so the window is never opened again.
    stalled.on('error', () => undefined).pause();
    await once(stalled, 'response');
    await new Promise((resolve) => {
      stalled.once('aborted', resolve).once('close', resolve);
    });
    expect((await request(session, { ':path': '/' })).body).toBe('hello');
    session.destroy();
  });

  test('a slow request keeps its connection open beyond the keep-alive timeout', async () => {
    const session = connect(quick.url);
    const slow = session.request({ ':path': '/slow' }).on('error', () => undefined);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect([session.closed, slow.closed]).toEqual([false, false]);
    session.destroy();
  });

  test('a connection that has carried its last request is announced to close, and closes', async () => {
    const session = connect(quick.url);
    const announced = once(session, 'goaway');
    const ended = once(session, 'close');
    for (let i = 0; i < 3; i += 1) expect((await request(session, { ':path': '/' })).status).toBe(200);
    await announced;
    await ended;
  });
});

test('clients that open connections and send nothing are bounded by connections.max', async () => {
  const small = await listen(appOf([]), {
    host: '127.0.0.1',
    port: 0,
    http2: { accept: 'always', maxStreams: 1 },
    connections: { max: 10 },
  });
  const sockets = Array.from({ length: 30 }, () =>
    net.connect(small.port, '127.0.0.1').on('error', () => undefined),
  );
  let closed = 0;
  for (const socket of sockets) socket.on('close', () => (closed += 1));
  await eventually(() => closed === 20, 'closing the connections beyond the limit');
  for (const socket of sockets) socket.destroy();
  await small.close({ timeoutMs: 0 });
});
