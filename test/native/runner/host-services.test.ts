import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { KvStatus, type OperationRequest } from '../../../dist/native/plugin.js';
import type { KillReason } from '../../../dist/native/process/exit-cause.js';
import { FRAME_HEADER_SIZE, ServiceFrame } from '../../../dist/native/protocol/protocol.js';
import { HostServices } from '../../../dist/native/runner/host-services.js';
import { eventually } from '../../fixtures/server.js';

const NO_KEY_VALUES = { get: () => null, set: () => KvStatus.FULL };

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** Both ends of one connection: the server's, and the plugin's. */
async function pair(): Promise<[server: Socket, plugin: Socket]> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as { port: number };
  const plugin = connect(port, '127.0.0.1');
  const [server] = (await once(listener, 'connection')) as [Socket];
  listener.close();
  sockets.push(server, plugin);
  return [server, plugin];
}

function requestFrame(
  id: number,
  type: number = ServiceFrame.OPERATION,
  payload = Buffer.from('\0big.one\0null\0'),
): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_SIZE);
  header.writeUInt32LE(payload.length);
  header.writeUInt32LE(id, 4);
  header[8] = type;
  return Buffer.concat([header, payload]);
}

test('the server queues no more answers for a plugin that reads none than its socket holds', async () => {
  const [server, plugin] = await pair();
  const performed: OperationRequest[] = [];
  const reasons: KillReason[] = [];
  new HostServices(server, {
    callOf: () => ({ requestId: 'r', callers: [], trace: null }),
    runningOf: () => ({ requestId: 'r', callers: [], trace: null }),
    keyValues: NO_KEY_VALUES,
    fetch: async () => '{}',
    operate: async (request) => {
      performed.push(request);
      return Buffer.alloc(4 * 1024 * 1024, '1');
    },
    broken: (reason) => void reasons.push(reason),
  });
  plugin.pause();
  // One at a time, so that each request could be answered before the next arrives.
  for (let id = 1; id <= 20; id += 1) {
    plugin.write(requestFrame(id));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(performed.length).toBeLessThan(10);
  expect(server.writableLength).toBeLessThanOrEqual(4 * 1024 * 1024 + FRAME_HEADER_SIZE);
  plugin.resume();
  // The plugin sent many requests without waiting for answers, which a runner never does. Requests that arrive together
  // end it; those that arrive one by one are answered in turn.
  const broken = { kind: 'protocol', message: 'a request before the previous request was answered' };
  await eventually(
    () => reasons.length > 0 || performed.length === 20,
    'an end of the plugin, or all answers',
  );
  expect([[], [broken]]).toContainEqual(reasons);
});

test('a plugin that keeps sending requests outside its calls is killed', async () => {
  const [server, plugin] = await pair();
  const reasons: KillReason[] = [];
  let performed = 0;
  new HostServices(server, {
    callOf: () => null,
    runningOf: () => null,
    keyValues: NO_KEY_VALUES,
    fetch: async () => '{}',
    operate: async (_, caller) => {
      expect(caller).toBeNull();
      performed += 1;
      return null;
    },
    broken: (reason) => void reasons.push(reason),
  });
  let id = 0;
  plugin.on('data', () => plugin.write(requestFrame((id += 1))));
  plugin.on('error', () => undefined);
  plugin.write(requestFrame(0));
  await eventually(() => reasons.length > 0, 'the end of the plugin');
  expect(reasons).toEqual([
    { kind: 'protocol', message: 'more than 100 requests in a second outside a call' },
  ]);
  expect(performed).toBe(100);
});

test.each([
  ['OPERATION', 'one\0two\0', 'a request that is not 3 strings'],
  ['OPERATION', 'one\0two\0three\0four\0', 'a request that is not 3 strings'],
  ['HTTP_FETCH', '{}', 'a request that is not one string'],
  ['KV_GET', '', 'a request that is not one string'],
  ['KV_GET', 'key', 'a request that is not one string'],
  ['KV_GET', 'key\0more\0', 'a request that is not one string'],
  ['KV_GET', `${'k'.repeat(1025)}\0`, 'frame of 1026 bytes, at most 1025 allowed'],
  ['KV_SET', '\0\0\0', 'a KV_SET without its number of seconds'],
  ['KV_SET', '\0\0\0\0', 'a request that is not one string'],
  ['KV_SET', '\0\0\0\0key', 'a request that is not 2 strings'],
  ['KV_SET', '\0\0\0\0key\0value', 'a request that is not 2 strings'],
  ['KV_SET', '\0\0\0\0key\0value\0more\0', 'a request that is not 2 strings'],
  ['ANSWER', '', 'unknown frame type 98'],
] as const)('the process of a malformed request is killed: %s %j', async (type, payload, message) => {
  const [server, plugin] = await pair();
  const reasons: KillReason[] = [];
  new HostServices(server, {
    callOf: () => null,
    runningOf: () => null,
    keyValues: NO_KEY_VALUES,
    fetch: async () => '{}',
    operate: async () => null,
    broken: (reason) => void reasons.push(reason),
  });
  plugin.on('error', () => undefined);
  plugin.write(requestFrame(1, ServiceFrame[type], Buffer.from(payload)));
  await eventually(() => reasons.length > 0, 'the end of the plugin');
  expect(reasons).toEqual([{ kind: 'protocol', message }]);
});
