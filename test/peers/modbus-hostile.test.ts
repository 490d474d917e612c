/** The Modbus example against a device that breaks the protocol. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { eventually, startServer, type TestServer } from '../fixtures/server.js';
import { buildExample, modbusYaml, put } from './modbus-build.js';
import {
  type Behaviour,
  goodReply,
  startHostileDevice,
  type HostileDevice,
} from './modbus-hostile-device.js';

const BUILD_MS = 300_000;
const TEST_MS = 120_000;
const POINTS = [
  '{ name: level, table: holding_registers, address: 7, count: 3 }',
  '{ name: setpoint, table: holding_registers, address: 5, write: single }',
];

let device: HostileDevice;
let server: TestServer;
let pids: readonly number[];
const runningPids = (): number[] => server.plugin('modbus').processes.map(({ pid }) => pid);

const read = () => server.get('/points/level?fresh=true');
const GOOD = { status: 200, body: { value: [7, 8, 9] } };

/** Reads once, while the device behaves so, between two good reads. @returns the answer */
async function readOnce(behaviour: Behaviour): ReturnType<TestServer['get']> {
  device.behave(goodReply);
  expect(await read()).toMatchObject(GOOD);
  device.behave(behaviour);
  const answer = await read();
  device.behave(goodReply);
  expect(await read()).toMatchObject(GOOD);
  return answer;
}

const changed = (change: (reply: Buffer) => Buffer | undefined): Behaviour => {
  return (request) => change(goodReply(request));
};
/** A good reply in which the byte at `index` is another. */
const wrongByte = (index: number, value: number): Behaviour =>
  changed((reply) => {
    reply[index] = value;
    return reply;
  });

beforeAll(async () => {
  buildExample();
  device = await startHostileDevice();
  const config = 'poll_interval_ms: 0\n      timeout_ms: 400\n      reconnect_max_ms: 100';
  server = await startServer(modbusYaml(device.port, { points: POINTS, config }));
  pids = runningPids();
}, BUILD_MS);

afterAll(() => device.close());

describe('a reply is refused, and the connection closed, when it has', () => {
  test.each([
    ['another transaction id', wrongByte(1, 255), 'wrong transaction id'],
    ['another protocol id', wrongByte(3, 1), 'wrong protocol id'],
    ['another length', wrongByte(5, 8), 'wrong length'],
    ['a length above the largest reply', wrongByte(4, 255), 'wrong length'],
    ['the length 0', wrongByte(5, 0), 'wrong length'],
    ['another unit', wrongByte(6, 2), 'wrong unit id'],
    ['another function', wrongByte(7, 4), 'wrong function code'],
    ['an exception of another function', wrongByte(7, 0x84), 'wrong function code'],
    ['an exception with the length of an answer', wrongByte(7, 0x83), 'wrong length'],
    ['another byte count', wrongByte(8, 5), 'wrong byte count'],
    ['bytes after its end', changed((reply) => Buffer.concat([reply, reply])), 'bytes after the reply'],
    ['64 KiB', () => Buffer.alloc(65536, 1), 'wrong transaction id'],
  ])('%s', async (_what, behaviour, reason) => {
    const before = device.connections();
    expect(await readOnce(behaviour)).toMatchObject({
      status: 502,
      body: { title: 'Bad Gateway', detail: `the reply was refused: ${reason}` },
    });
    expect(device.connections() - before).toBeLessThanOrEqual(2);
    await eventually(() => device.open().length === 1, 'the end of the other connection');
  });
});

test.each([
  ['closes inside the reply', (r: Buffer) => r.subarray(0, 5), 502, 'ended inside the reply'],
  ['closes without a reply', () => Buffer.alloc(0), 503, 'closed the connection'],
])('a device that %s', async (_what, part, status, detail) => {
  const answer = await readOnce((request, socket) => void socket.end(part(goodReply(request))));
  expect(answer).toMatchObject({ status, body: { detail: expect.stringContaining(detail) as unknown } });
});

test.each([
  ['nothing', () => undefined],
  ['half a reply', changed((reply) => reply.subarray(0, 9))],
])('a device that sends %s costs the time of a reply, and its connection', async (_what, behaviour) => {
  const answer = await readOnce(behaviour);
  expect(answer).toMatchObject({
    status: 504,
    body: { title: 'Gateway Timeout', detail: 'no reply in time' },
  });
});

test('a reply that comes late is not taken for that to the next request', async () => {
  let late = (): void => undefined;
  const answer = await readOnce((request, socket) => {
    late = () => void socket.write(wrongValue(request));
    return undefined;
  });
  expect(answer.status).toBe(504);
  late();
  expect(await read()).toMatchObject(GOOD);
});

const wrongValue = (request: Buffer): Buffer => {
  const reply = goodReply(request);
  reply.writeUInt16BE(666, 9);
  return reply;
};

test('bytes that nobody asked for close the connection before the next request', async () => {
  device.behave(goodReply);
  expect(await read()).toMatchObject(GOOD);
  const before = device.connections();
  for (const socket of device.open()) {
    await new Promise((resolve) => socket.write(Buffer.from([0, 0, 0]), resolve));
  }
  expect(await read()).toMatchObject(GOOD);
  expect(device.connections()).toBe(before + 1);
});

test('a reply may come byte by byte', async () => {
  const answer = await readOnce((request, socket) => {
    const bytes = [...goodReply(request)];
    const next = (): void => {
      const byte = bytes.shift();
      if (byte !== undefined) socket.write(Buffer.from([byte]), () => setImmediate(next));
    };
    next();
    return undefined;
  });
  expect(answer).toMatchObject(GOOD);
});

test.each([
  [1, 'ILLEGAL FUNCTION'],
  [2, 'ILLEGAL DATA ADDRESS'],
  [3, 'ILLEGAL DATA VALUE'],
  [4, 'SERVER DEVICE FAILURE'],
  [5, 'ACKNOWLEDGE'],
  [6, 'SERVER DEVICE BUSY'],
  [7, 'NEGATIVE ACKNOWLEDGE'],
  [8, 'MEMORY PARITY ERROR'],
  [9, 'not defined by the specification'],
  [10, 'GATEWAY PATH UNAVAILABLE'],
  [11, 'GATEWAY TARGET DEVICE FAILED TO RESPOND'],
  [0, 'not defined by the specification'],
  [255, 'not defined by the specification'],
])('exception %d is named %s, and the connection stays', async (code, name) => {
  device.behave(goodReply);
  await read();
  const before = device.connections();
  const answer = await readOnce((request) => {
    const head = Buffer.from(request.subarray(0, 9));
    head.writeUInt16BE(3, 4);
    head.writeUInt8(request.readUInt8(7) | 0x80, 7);
    head.writeUInt8(code, 8);
    return head;
  });
  expect(answer).toMatchObject({ status: 502, body: { exception: { code, name } } });
  expect(device.connections()).toBe(before);
});

describe('a write', () => {
  const write = async (behaviour: Behaviour) => {
    device.behave(goodReply);
    expect(await read()).toMatchObject(GOOD);
    device.behave(behaviour);
    return put(server.url, 'setpoint', 3);
  };

  test.each([
    ['repeats another value', wrongByte(11, 4), 502, 'does not repeat what was written'],
    ['repeats another address', wrongByte(9, 4), 502, 'does not repeat what was written'],
    ['does not come', () => undefined, 504, 'no reply in time'],
  ])(
    'whose reply %s may have been carried out, and the answer says so',
    async (_what, behaviour, status, detail) => {
      const answer = await write(behaviour);
      expect(answer).toMatchObject({
        status,
        body: { detail: expect.stringContaining(`${detail}; the value may have been written`) as unknown },
      });
    },
  );

  test('is sent once, also when the device closes the connection instead of replying', async () => {
    let requests = 0;
    const answer = await write((_request, socket) => {
      requests += 1;
      socket.destroy();
      return undefined;
    });
    expect(answer).toMatchObject({ status: 503 });
    expect(requests).toBe(1);
  });
});

test(
  'no bytes of a device crash the plugin or pass for a reply to another request',
  async () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    // Bytes that begin like a reply come further.
    const framed = fc.tuple(fc.integer({ min: 0, max: 300 }), bytes);
    await fc.assert(
      fc.asyncProperty(fc.oneof(bytes, framed), async (sent) => {
        const answer = await readOnce((request, socket) => {
          const head = Buffer.from(request.subarray(0, 4));
          const [length, rest] = Array.isArray(sent) ? sent : [undefined, sent];
          const size = Buffer.alloc(2);
          size.writeUInt16BE(length ?? 0);
          socket.end(length === undefined ? rest : Buffer.concat([head, size, rest]));
          return undefined;
        });
        expect([502, 503]).toContain(answer.status);
      }),
      { numRuns: 60 },
    );
    expect(runningPids()).toEqual(pids);
  },
  TEST_MS,
);

test(
  'a device that never replies does not make the call miss its deadline',
  async () => {
    const silent = await startHostileDevice();
    silent.behave(() => undefined);
    const impatient = await startServer(
      modbusYaml(silent.port, {
        points: POINTS,
        config: 'poll_interval_ms: 0\n      timeout_ms: 60000',
        plugin: 'timeouts: { call: 4s }',
      }),
    );
    const before = impatient.plugin('modbus').processes.map(({ pid }) => pid);
    expect((await impatient.get('/points/level?fresh=true')).status).toBe(504);
    expect([503, 504]).toContain((await put(impatient.url, 'setpoint', 1)).status);
    expect(impatient.plugin('modbus').processes.map(({ pid }) => pid)).toEqual(before);
    await silent.close();
  },
  TEST_MS,
);

test('none of it has ended the process of the plugin', () => {
  expect(pids.length).toBeGreaterThan(0);
  expect(runningPids()).toEqual(pids);
});
