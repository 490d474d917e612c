import http from 'node:http';
import net from 'node:net';
import { expect, test } from '@jest/globals';
import { scriptPlugin } from '../pipeline/script-plugin.js';
import { staticEndpoint } from '../pipeline/documents/sample-request.js';
import { listen } from '../../dist/http/listen.js';
import { CONCURRENT_MAX, WAITING_MAX } from '../../dist/http/connection.js';
import { appOf, ask } from './served.js';

const hello = staticEndpoint('/hello', 'hello');

/** An app whose only plugin answers when the test lets it. */
function heldApp() {
  let answer = (): void => {};
  let reached = (): void => {};
  const released = new Promise<void>((resolve) => (answer = resolve));
  const running = new Promise<void>((resolve) => (reached = resolve));
  const slow = scriptPlugin('slow', {
    processEndpoint: async () => {
      reached();
      await released;
      return { status: 200, headers: {}, body: 'finished' };
    },
  });
  return { app: appOf([hello], [slow]), answer, running };
}

/** Answers with the request's path, a moment later. */
const mirrorPath = scriptPlugin('mirror', {
  processEndpoint: async (_endpoint, _method, document) => {
    await new Promise((resolve) => setImmediate(resolve));
    const { path } = JSON.parse(document.toString()) as { path: string };
    return { status: 200, headers: {}, body: path };
  },
});

/** Pipelines requests for /0, /1, … and reads until the last is answered, or the connection closes. */
function pipelined(port: number, requests: number): Promise<{ answers: string[]; closed: boolean }> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    let received = '';
    const finish = (closed: boolean): void => {
      socket.destroy();
      resolve({ answers: received.match(/^\/\d+(?=HTTP|$)/gm) ?? [], closed });
    };
    socket.on('error', () => undefined).on('close', () => finish(true));
    socket.on('data', (chunk) => {
      received += chunk.toString();
      if (received.endsWith(`/${requests - 1}`)) finish(false);
    });
    socket.write(
      Array.from({ length: requests }, (_value, index) => `GET /${index} HTTP/1.1\r\nHost: h\r\n\r\n`).join(
        '',
      ),
    );
  });
}

test.each([
  ['127.0.0.1', /^http:\/\/127\.0\.0\.1:\d+$/],
  ['::1', /^http:\/\/\[::1\]:\d+$/],
])('reports a usable URL when it listens on %s', async (host, shown) => {
  const listener = await listen(appOf([hello]), { host, port: 0 });
  expect(listener.url).toMatch(shown);
  expect(listener.address).toBe(host);
  expect((await ask(`${listener.url}/hello`)).body.toString()).toBe('hello');
  await listener.close();
});

test.each([
  ['a port in use', (port: number) => ({ host: '127.0.0.1', port }), 'in use by another program'],
  ['a foreign address', () => ({ host: '192.0.2.1', port: 0 }), 'not an address of this machine'],
  ['a name that does not resolve', () => ({ host: 'nowhere.invalid', port: 0 }), 'has no address'],
])('explains why it cannot listen on %s', async (_what, options, words) => {
  const taken = await listen(appOf([]), { host: '127.0.0.1', port: 0 });
  await expect(listen(appOf([]), options(taken.port))).rejects.toThrow(
    expect.objectContaining({
      code: 'BW_SERVER_LISTEN',
      message: expect.stringContaining(words) as unknown,
      hint: expect.any(String) as unknown,
    }),
  );
  await taken.close();
});

test('close() finishes a running request, accepts no new connection and closes idle ones', async () => {
  const { app, answer, running } = heldApp();
  const listener = await listen(app, { host: '127.0.0.1', port: 0 });
  const agent = new http.Agent({ keepAlive: true });
  await ask(`${listener.url}/hello`, { agent });

  const slow = ask(`${listener.url}/slow`);
  await running;
  const closed = listener.close({ timeoutMs: 60_000 });
  await expect(ask(`${listener.url}/hello`)).rejects.toThrow(
    expect.objectContaining({ code: 'ECONNREFUSED' }),
  );
  answer();

  expect((await slow).body.toString()).toBe('finished');
  await closed;
  agent.destroy();
});

test('draining answers every request that arrived before, and closes the connection with the last answer', async () => {
  const { app, answer, running } = heldApp();
  const listener = await listen(app, { host: '127.0.0.1', port: 0 });
  const socket = net.connect(listener.port, '127.0.0.1');
  let received = '';
  socket.on('data', (chunk) => (received += chunk.toString()));
  // The second request waits in the connection while the first one runs.
  socket.write('GET /slow HTTP/1.1\r\nHost: h\r\n\r\nGET /slow HTTP/1.1\r\nHost: h\r\n\r\n');
  await running;
  const closed = listener.close({ timeoutMs: 60_000 });
  const ended = new Promise((resolve) => socket.on('close', resolve));
  answer();
  await ended;
  await closed;

  const [, first, second] = received.split('HTTP/1.1 200 OK');
  expect(first).toContain('finished');
  expect(first).not.toMatch(/connection: close/i);
  expect(second).toMatch(/connection: close[^]*finished$/i);
});

test('draining closes the connection with the answer to a request in flight', async () => {
  const { app, answer, running } = heldApp();
  const listener = await listen(app, { host: '127.0.0.1', port: 0 });
  const slow = ask(`${listener.url}/slow`, { headers: { connection: 'keep-alive' } });
  await running;
  const closed = listener.close({ timeoutMs: 60_000 });
  answer();
  expect((await slow).headers.connection).toBe('close');
  await closed;
});

test('serves few requests of a client that pipelines and reads nothing, then closes its connection', async () => {
  const requests = 900;
  let served = 0;
  // More than the kernel buffers for a client that reads nothing.
  const body = Buffer.alloc(32 * 1024 * 1024);
  const large = scriptPlugin('large', {
    processEndpoint: async () => {
      served += 1;
      return { status: 200, headers: {}, body };
    },
  });
  const listener = await listen(appOf([], [large]), {
    host: '127.0.0.1',
    port: 0,
    connections: { writeTimeoutMs: 300 },
  });
  const socket = net.connect(listener.port, '127.0.0.1').pause();
  socket.on('error', () => undefined);
  socket.write('GET /large HTTP/1.1\r\nHost: h\r\n\r\n'.repeat(requests));
  // The client reads nothing, so only a write shows it that the connection is closed.
  await new Promise((resolve) => {
    const poke = setInterval(() => socket.write('x'), 100);
    socket.once('close', () => resolve(clearInterval(poke)));
  });
  expect(served).toBe(CONCURRENT_MAX);
  socket.destroy();
  await listener.close({ timeoutMs: 0 });
});

test('answers all pipelined requests in order, also those beyond the number served at once', async () => {
  const requests = 900;
  const listener = await listen(appOf([], [mirrorPath]), { host: '127.0.0.1', port: 0 });
  const { answers, closed } = await pipelined(listener.port, requests);
  expect(answers).toEqual(Array.from({ length: requests }, (_value, index) => `/${index}`));
  expect(closed).toBe(false);
  await listener.close({ timeoutMs: 0 });
});

test('announces the end of the connection with the last answer when too many requests wait', async () => {
  const listener = await listen(appOf([], [mirrorPath]), { host: '127.0.0.1', port: 0 });
  const { answers, closed } = await pipelined(listener.port, CONCURRENT_MAX + WAITING_MAX + 100);
  expect(answers).toHaveLength(CONCURRENT_MAX + WAITING_MAX);
  expect(closed).toBe(true);
  await listener.close({ timeoutMs: 0 });
});

test('waits for a slow answer beyond the write timeout when the client has read everything', async () => {
  const { app, answer, running } = heldApp();
  const listener = await listen(app, { host: '127.0.0.1', port: 0, connections: { writeTimeoutMs: 100 } });
  const slow = ask(`${listener.url}/slow`);
  await running;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  answer();
  expect((await slow).body.toString()).toBe('finished');
  await listener.close({ timeoutMs: 0 });
});

test('cuts off an unfinished request at the deadline', async () => {
  const { app, running } = heldApp();
  const listener = await listen(app, { host: '127.0.0.1', port: 0 });
  const slow = ask(`${listener.url}/slow`);
  const cut = expect(slow).rejects.toThrow(expect.objectContaining({ code: 'ECONNRESET' }));
  await running;
  await listener.close({ timeoutMs: 20 });
  await cut;
});

test('keeps answering during the delay, and a second close() waits for the first', async () => {
  const listener = await listen(appOf([hello]), { host: '127.0.0.1', port: 0 });
  const closed = listener.close({ delayMs: 200, timeoutMs: 1000 });
  expect(listener.close()).toBe(closed);
  expect((await ask(`${listener.url}/hello`)).status).toBe(200);
  await closed;
  await expect(ask(`${listener.url}/hello`)).rejects.toThrow();
});

test('closes the connection of a client that sends headers byte by byte, without affecting others', async () => {
  const listener = await listen(appOf([hello]), { host: '127.0.0.1', port: 0 });
  const socket = net.connect(listener.port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString()));
  socket.on('error', () => undefined);
  socket.write('GET /hello HTTP/1.1\r\nHost: ');
  const drip = setInterval(() => socket.write('x'), 100);
  await new Promise((resolve) => socket.once('close', resolve));
  clearInterval(drip);
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect((await ask(`${listener.url}/hello`)).body.toString()).toBe('hello');
  await listener.close();
}, 60_000);
