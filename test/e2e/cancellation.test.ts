import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually, startServer, type TestServer } from '../fixtures/server.js';

const QUEUED = 20;
const directory = mkdtempSync(join(tmpdir(), 'backworks-gate-'));
// A server that runs as root starts its runners as another user.
chmodSync(directory, 0o755);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The plugin `tag` has hooks for every request and response; `gate` answers. */
const configuration = (openIf: string): string => `
endpoints:
  slow:   { path: /slow, plugin: gate }
  queued: { path: /queued, plugin: gate }
  static: { path: /static, response: { body: here } }
plugins:
  tag: { path: ${compilePlugin('tag')}, priority: 1, config: { tag: a } }
  gate:
    path: ${compilePlugin('gate')}
    timeouts: { call: 60s }
    config: { open_if: ${openIf} }
    permissions: { filesystem: { read: [${directory}] } }
`;

/** Sends a request without reading the answer. */
async function send(server: TestServer, path: string): Promise<net.Socket> {
  const socket = net.connect(Number(new URL(server.url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => {}).write(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
  return socket;
}

async function leave(socket: net.Socket): Promise<void> {
  socket.destroy();
  await once(socket, 'close');
}

const calls = (server: TestServer, plugin: string, hook: string) => server.plugin(plugin).calls[hook];

test('queued requests whose clients disconnected are not run and do not count as failures', async () => {
  const openIf = join(directory, 'open');
  const server = await startServer(configuration(openIf));
  const slow = await send(server, '/slow');
  await eventually(() => server.log.some(({ message }) => message.includes('begun')), 'the first call');

  const waiting = await Promise.all(Array.from({ length: QUEUED }, () => send(server, '/queued')));
  await eventually(
    () => calls(server, 'tag', 'before_request')?.calls === QUEUED + 1,
    'the arrival of every request at the busy plugin',
  );
  await Promise.all([slow, ...waiting].map(leave));
  // While the server answers these requests, its event loop also reports the closed connections.
  for (let turn = 0; turn < 10; turn++) await server.get('/static');
  const afterwards = calls(server, 'tag', 'after_response')?.calls ?? 0;

  writeFileSync(openIf, '');
  expect(await server.get('/queued')).toMatchObject({ status: 200, body: { calls: 2 } });
  expect(calls(server, 'gate', 'process_endpoint')).toEqual({ calls: 2, failed: 0 });
  // after_response runs for the new request only: the client of the first call has disconnected.
  expect(calls(server, 'tag', 'after_response')?.calls).toBe(afterwards + 1);
  expect(server.plugin('gate').state).toBe('ready');
  expect(server.log.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
  await server.backworks.stop();
});

test('a client that disconnects cancels only its own request', async () => {
  const openIf = join(directory, 'open-too');
  const server = await startServer(configuration(openIf));
  const [first, second] = await Promise.all([send(server, '/slow'), send(server, '/slow')]);
  await eventually(() => server.log.some(({ message }) => message.includes('begun')), 'the first call');
  await eventually(() => calls(server, 'tag', 'before_request')?.calls === 2, 'the second request');
  let answered = '';
  for (const socket of [first, second]) socket.on('data', (chunk: Buffer) => (answered += chunk.toString()));
  const gone = await send(server, '/queued');
  await eventually(() => calls(server, 'tag', 'before_request')?.calls === 3, 'the third request');
  await leave(gone);
  for (let turn = 0; turn < 10; turn++) await server.get('/static');

  writeFileSync(openIf, '');
  await eventually(
    () => answered.includes('{"calls":1}') && answered.includes('{"calls":2}'),
    'both answers',
  );
  expect(calls(server, 'gate', 'process_endpoint')).toEqual({ calls: 2, failed: 0 });
  await Promise.all([first, second].map(leave));
  await server.backworks.stop();
});
