/** The HL7 example against a peer that answers wrongly, late or never. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Socket } from 'node:net';
import { startServer, type TestServer } from '../fixtures/server.js';
import { BUILD, EXAMPLE, hl7Yaml, message, post, shell, type Answer } from './hl7-example.js';
import { acknowledgement, framed, startHostilePeer, type HostilePeer } from './hl7-hostile-peer.js';

const BUILD_MS = 300_000;
const TEST_MS = 120_000;

// A library of its own: the other test file may be writing that of the README.
const LIBRARY = `${EXAMPLE}/plugins/hostile-test/libhl7.so`;
const yaml = (port: number, config: string, call = '60s'): string => hl7Yaml(port, config, call, LIBRARY);

let peer: HostilePeer;
beforeAll(async () => {
  shell(BUILD.replace('plugins/libhl7.so', LIBRARY));
  peer = await startHostilePeer();
}, BUILD_MS);
afterAll(() => peer.close());

const properAnswer = (socket: Socket, id: string): void => void socket.write(framed(acknowledgement(id)));
beforeEach(() => {
  peer.answer = properAnswer;
});

const withId = (id: string): Buffer => Buffer.from(message('adt-a01').toString().replace('MSG00001', id));
const processOf = (server: TestServer) => server.plugin('hl7').processes[0]?.pid;

/** An answer of the plugin, without what depends on the machine. */
const outline = ({ status, type, json }: Answer) => ({
  status,
  type,
  title: json.title,
  detail: json.detail,
});
const problem = (status: number, title: string, detail: string) => ({
  status,
  type: 'application/problem+json',
  title,
  detail: expect.stringContaining(detail),
});

describe('wrong replies', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer(yaml(peer.port, 'reply_timeout: 60s, connect_timeout: 60s'));
  }, TEST_MS);

  test.each<[string, (id: string) => string, string]>([
    ['no start block', (id) => acknowledgement(id), 'wrong frame: it begins with 0x4D instead of 0x0B'],
    [
      'no CR after the end block',
      (id) => `\x0b${acknowledgement(id)}\x1cX`,
      'wrong frame: 0x58 instead of 0x0D',
    ],
    ['two start blocks', (id) => `\x0b${framed(acknowledgement(id))}`, 'wrong frame: 0x0B is in the message'],
    ['too many bytes', () => `\x0b${'A'.repeat(300_000)}`, 'the message is longer than 262144 bytes'],
    ['an empty frame', () => framed(''), 'the document is empty'],
    ['random bytes', () => framed('\x00\xff\x13garbage'), 'segment 1: the name of a segment'],
    ['not an acknowledgement', () => framed('MSH|^~\\&|X\rPID|1\r'), 'the reply has no segment MSA'],
    ['an unknown code', (id) => framed(acknowledgement(id, 'ZZ')), 'MSA-1 of the reply is "ZZ"'],
    ['another control id', () => framed(acknowledgement('OTHER')), 'MSA-2 is "OTHER", and MSH-10'],
    ['a batch', (id) => framed(`BHS|^~\\&\r${acknowledgement(id)}`), 'the reply is not a single message'],
  ])('%s is a 502, and the next message is sent over a new connection', async (_, reply, detail) => {
    const pid = processOf(server);
    peer.answer = (socket, id) => void socket.write(reply(id), 'latin1');
    expect(outline(await post(server.url, 'send', withId('M1')))).toEqual(
      problem(502, 'Wrong reply', detail),
    );
    const before = peer.connections;
    peer.answer = properAnswer;
    expect((await post(server.url, 'send', withId('M2'))).status).toBe(200);
    expect(peer.connections).toBe(before + 1);
    expect(processOf(server)).toBe(pid);
  });

  test('an error of the peer is a 502 with its code, name, text and ERR segments', async () => {
    const segment = 'ERR||PID^1^7^1|102^Data type error^HL70357|E|||no date\r';
    peer.answer = (socket, id) => void socket.write(framed(acknowledgement(`${id}|sorry`, 'AE', segment)));
    const answer = await post(server.url, 'send', withId('M3'));
    expect(outline(answer)).toEqual(problem(502, 'Message not accepted', 'AE, application error: sorry'));
    expect(answer.json.acknowledgement).toEqual({
      code: 'AE',
      name: 'application error',
      control_id: 'M3',
      text: 'sorry',
      errors: [
        { location: 'PID-1-7-1', code: '102', name: 'Data type error', severity: 'E', message: 'no date' },
      ],
    });
  });

  test('a connection that ends within the reply is a 502, and the message is not sent again', async () => {
    peer.answer = (socket, id) => void socket.end(framed(acknowledgement(id)).slice(0, -2));
    const answer = await post(server.url, 'send', withId('M4'));
    expect(outline(answer)).toEqual(problem(502, 'Connection lost', 'it may have taken the message'));
    expect(peer.received.filter((id) => id === 'M4')).toHaveLength(1);
  });

  test('a second reply to one message is not taken for the reply to the next', async () => {
    peer.answer = (socket, id) =>
      void socket.write(framed(acknowledgement(id)) + framed(acknowledgement('M6', 'AE')));
    expect((await post(server.url, 'send', withId('M5'))).status).toBe(200);
    peer.answer = properAnswer;
    expect((await post(server.url, 'send', withId('M6'))).json).toMatchObject({
      code: 'AA',
      control_id: 'M6',
    });
  });

  test('a reply that comes byte by byte is read', async () => {
    peer.answer = (socket, id) => {
      socket.setNoDelay(true);
      const bytes = [...framed(acknowledgement(id))];
      const next = (): void => {
        const byte = bytes.shift();
        if (byte === undefined) return;
        socket.write(byte);
        setImmediate(next);
      };
      next();
    };
    expect((await post(server.url, 'send', withId('M7'))).status).toBe(200);
  });

  test('messages use one connection', async () => {
    await post(server.url, 'send', withId('M8'));
    const before = peer.connections;
    for (const id of ['M9', 'M10', 'M11'])
      expect((await post(server.url, 'send', withId(id))).status).toBe(200);
    expect(peer.connections).toBe(before);
  });

  test('an invalid message does not reach the peer', async () => {
    const before = peer.received.length;
    const { status, json } = await post(server.url, 'send', message('invalid-a01'));
    expect({ status, first: json.findings[0]?.location }).toEqual({ status: 400, first: 'PID-5' });
    expect(peer.received).toHaveLength(before);
  });
});

describe('replies that do not come in time', () => {
  const silent = (): void => undefined;
  const late = problem(504, 'No acknowledgement in time', 'it may have taken the message');

  test(
    'a silent peer is a 504 after reply_timeout, and a late reply is not taken for the next one',
    async () => {
      const { url } = await startServer(yaml(peer.port, 'reply_timeout: 200ms, connect_timeout: 60s'));
      let waiting: Socket | undefined;
      peer.answer = (socket) => void (waiting = socket);
      expect(outline(await post(url, 'send', withId('L1')))).toEqual(late);
      waiting?.write(framed(acknowledgement('L1')));
      peer.answer = silent;
      expect(outline(await post(url, 'send', withId('L2')))).toEqual(late);
    },
    TEST_MS,
  );

  test(
    'a peer that never finishes its reply is a 504, too',
    async () => {
      const { url } = await startServer(yaml(peer.port, 'reply_timeout: 500ms, connect_timeout: 60s'));
      peer.answer = (socket) => {
        socket.write('\x0bMSH|');
        const timer = setInterval(() => socket.write('A'), 20);
        socket.on('close', () => clearInterval(timer));
      };
      expect(outline(await post(url, 'send', withId('L3')))).toEqual(late);
    },
    TEST_MS,
  );

  test(
    'the plugin answers before the deadline of the call, and its process lives on',
    async () => {
      const server = await startServer(yaml(peer.port, 'reply_timeout: 60s, connect_timeout: 60s', '6s'));
      const pid = processOf(server);
      peer.answer = silent;
      expect(outline(await post(server.url, 'send', withId('L4')))).toEqual(late);
      expect(processOf(server)).toBe(pid);
    },
    TEST_MS,
  );
});
