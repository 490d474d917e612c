import { execFileSync } from 'node:child_process';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type TestServer } from '../fixtures/server.js';
import { Acceptor, type Peer } from './fix-acceptor.js';
import {
  ask,
  buildExample,
  freePort,
  type FixOptions,
  order,
  processOf,
  QuickFix,
  readmeCommands,
  session,
  startExample,
  Store,
} from './fix-plugin.js';

/** The example examples/fix against QuickFIX, and against an acceptor that breaks the rules of FIX. */
jest.setTimeout(180_000);

const stores: Store[] = [];
const newStore = (): Store => {
  const store = new Store();
  stores.push(store);
  return store;
};

beforeAll(buildExample);
afterAll(() => {
  for (const store of stores) store.remove();
});

const LOGGED_ON = { state: 'loggedOn' };

describe('with QuickFIX', () => {
  let peer: QuickFix;
  let server: TestServer;

  beforeAll(async () => {
    peer = new QuickFix(await freePort());
    await peer.start();
    server = await startExample({ port: peer.port, store: newStore() });
    await session(server, LOGGED_ON);
  });

  afterAll(async () => {
    await peer.remove();
  });

  test('every command of the README has the documented answer', () => {
    const commands = readmeCommands();
    expect(commands.length).toBeGreaterThan(5);
    for (const { command, answer } of commands) {
      const line = command.replace('http://127.0.0.1:8080', server.url);
      expect(line).not.toBe(command);
      expect(execFileSync('sh', ['-c', line], { encoding: 'utf8' })).toBe(answer);
    }
  });

  test('a BusinessMessageReject is a 502 with its code and name', async () => {
    const { status, body } = await order(server, 'B1', 'UNSUPPORTED');
    expect(status).toBe(502);
    expect(body.detail).toContain('BusinessMessageReject: Unsupported Message Type (3)');
  });

  test('orders get 503 while the peer is away, and the session continues when it is back', async () => {
    const { body: before } = await ask(server, '/session');
    await peer.stop('SIGKILL');
    await session(server, { state: 'disconnected' });
    expect(await order(server, 'C1')).toMatchObject({ status: 503 });
    await peer.start();
    await session(server, LOGGED_ON);
    expect(await order(server, 'C1')).toMatchObject({ status: 200, body: { ordStatus: 'filled' } });
    const { body: after } = await ask(server, '/session');
    expect(after.nextSenderMsgSeqNum).toBeGreaterThan(Number(before.nextSenderMsgSeqNum));
    expect(after.nextTargetMsgSeqNum).toBeGreaterThan(Number(before.nextTargetMsgSeqNum));
  });

  test('numbers and orders survive SIGKILL of the process of the plugin during a call', async () => {
    const waiting = order(server, 'D1', 'SILENT');
    while (!peer.lines.includes('order D1')) await new Promise((resolve) => setTimeout(resolve, 10));
    const killed = processOf(server);
    process.kill(killed, 'SIGKILL');
    expect((await waiting).status).toBeGreaterThanOrEqual(500);
    await session(server, LOGGED_ON);
    expect(processOf(server)).not.toBe(killed);
    expect(await ask(server, '/orders/D1')).toMatchObject({ status: 200, body: { state: 'sent' } });
    expect(await ask(server, '/orders/C1')).toMatchObject({
      body: { state: 'reported', report: { orderId: 'O-C1' } },
    });
    expect(await order(server, 'D1')).toMatchObject({ status: 409 });
    expect(await order(server, 'D2')).toMatchObject({ status: 200, body: { clOrdId: 'D2' } });
  });

  test('QuickFIX gets orders again that it has lost, as possible duplicates', async () => {
    await peer.stop();
    const [file = ''] = readdirSync(peer.store).filter((name) => name.endsWith('.seqnums'));
    const [sender = ''] = readFileSync(join(peer.store, file), 'utf8').split(':');
    writeFileSync(join(peer.store, file), `${sender}: 0000000002`);
    peer.lines.length = 0;
    await peer.start();
    await session(server, LOGGED_ON);
    expect(await order(server, 'E1')).toMatchObject({ status: 200 });
    expect(peer.lines.filter((line) => line.startsWith('order'))).toEqual([
      'order A1 resent',
      'order A2 resent',
      'order B1 resent',
      'order C1 resent',
      'order D1 resent',
      'order D2 resent',
      'order E1',
    ]);
  });
});

describe('with an acceptor that breaks the rules', () => {
  let acceptor: Acceptor;
  let server: TestServer | undefined;
  let store: Store;

  /** Starts the plugin with a new journal. @returns its connection, logged on */
  async function loggedOn(options: Partial<FixOptions> = {}): Promise<{ server: TestServer; peer: Peer }> {
    acceptor = await Acceptor.listen();
    store = newStore();
    server = await startExample({ port: acceptor.port, store, ...options });
    const peer = await acceptor.peer();
    await peer.logOn();
    await session(server, LOGGED_ON);
    return { server, peer };
  }

  afterEach(async () => {
    await acceptor.close();
    await server?.backworks.stop();
  });

  test('TestRequest is answered with its TestReqID, a message of an unknown type with BusinessMessageReject', async () => {
    const { peer } = await loggedOn();
    peer.send('1', [[112, 'are you there']]);
    expect((await peer.read('0')).get(112)).toBe('are you there');
    peer.send('B', [[148, 'news']]);
    const reject = await peer.read('j');
    expect([reject.get(45), reject.get(372), reject.get(380)]).toEqual(['3', 'B', '3']);
  });

  test('garbled messages are ignored, and the missing number is requested again', async () => {
    const { server, peer } = await loggedOn();
    const garbled: Record<string, (bytes: string) => string> = {
      'wrong checksum': (bytes) => bytes.replace(/10=(\d)/, (_, digit) => `10=${(Number(digit) + 1) % 10}`),
      'BodyLength too large': (bytes) => bytes.replace(/9=\d+/, '9=9000'),
      'BodyLength too small': (bytes) => bytes.replace(/9=\d+/, '9=5'),
      'BodyLength beyond all limits': (bytes) => bytes.replace(/9=\d+/, '9=99999999999999999999'),
      'BodyLength not second': (bytes) => bytes.replace(/(9=\d+\x01)(35=8\x01)/, '$2$1'),
      'no trailer': (bytes) => bytes.slice(0, -7),
    };
    for (const [name, change] of Object.entries(garbled)) {
      const id = name.replaceAll(' ', '-');
      const answer = order(server, id);
      const sent = await peer.read('D');
      const number = peer.next;
      peer.report(sent, { change });
      peer.send('0');
      const request = await peer.read('2');
      expect([name, request.get(7), request.get(16)]).toEqual([name, String(number), '0']);
      peer.report(sent, { number, possDup: true });
      peer.send(
        '4',
        [
          [123, 'Y'],
          [36, String(number + 2)],
        ],
        { number: number + 1, possDup: true },
      );
      expect([name, await answer]).toMatchObject([
        name,
        { status: 200, body: { clOrdId: id, ordStatus: 'new' } },
      ]);
    }
    const { body } = await ask(server, '/session');
    expect(body.garbledMessages).toBeGreaterThanOrEqual(Object.keys(garbled).length);
    expect(body.nextTargetMsgSeqNum).toBe(peer.next);
  });

  test('a number that is too low ends the session with a Logout that says so; a possible duplicate does not', async () => {
    const { peer } = await loggedOn();
    peer.send('0', [], { number: 1, possDup: true });
    peer.send('1', [[112, 'still here']]);
    expect((await peer.read('0')).get(112)).toBe('still here');
    peer.send('0', [], { number: 2 });
    expect((await peer.read('5')).get(58)).toBe('MsgSeqNum too low, expecting 3 but received 2');
    await peer.closed;
  });

  test('a wrong CompID causes a Reject with reason 9 and the end of the session', async () => {
    const { server, peer } = await loggedOn();
    peer.send('0', [], { sender: 'SOMEBODY' });
    const reject = await peer.read('3');
    expect([reject.get(45), reject.get(371), reject.get(373)]).toEqual(['2', '49', '9']);
    await peer.read('5');
    await peer.closed;
    // The next connection works.
    const next = await acceptor.peer();
    await next.logOn(2);
    await session(server, LOGGED_ON);
  });

  test('ResendRequest gets orders as possible duplicates, and gap fill for the other messages', async () => {
    const { server, peer } = await loggedOn();
    const answer = order(server, 'R1');
    const first = await peer.read('D');
    peer.report(first);
    expect((await answer).status).toBe(200);
    peer.send('1', [[112, 'x']]);
    await peer.read('0');
    peer.send('2', [
      [7, '1'],
      [16, '0'],
    ]);
    const logon = await peer.read('4');
    expect([logon.get(34), logon.get(43), logon.get(123), logon.get(36)]).toEqual(['1', 'Y', 'Y', '2']);
    const again = await peer.read('D');
    expect([again.get(34), again.get(43), again.get(122), again.get(11)]).toEqual([
      '2',
      'Y',
      first.get(52),
      'R1',
    ]);
    const rest = await peer.read('4');
    expect([rest.get(34), rest.get(36)]).toEqual(['3', '4']);
  });

  test('SequenceReset may only go forward', async () => {
    const { server, peer } = await loggedOn();
    peer.send('4', [[36, '10']], { number: 1 });
    await session(server, { nextTargetMsgSeqNum: 10 });
    peer.send('4', [[36, '5']], { number: 10 });
    const reject = await peer.read('3');
    expect([reject.get(371), reject.get(373)]).toEqual(['36', '5']);
    peer.next = 10;
    peer.send('1', [[112, 'ten']]);
    expect((await peer.read('0')).get(112)).toBe('ten');
  });

  test('a field without a value is rejected with its tag, and uses up its number', async () => {
    const { peer } = await loggedOn();
    peer.send('1', [[112, '']]);
    const reject = await peer.read('3');
    expect([reject.get(45), reject.get(371), reject.get(373)]).toEqual(['2', '112', '4']);
    peer.send('1', [[112, 'next']]);
    expect((await peer.read('0')).get(112)).toBe('next');
  });

  test('Heartbeat comes each interval; a silent peer gets a TestRequest and then loses the connection', async () => {
    const { peer } = await loggedOn({ heartBtInt: 1 });
    await peer.read('0');
    expect((await peer.read('1')).get(112)).toMatch(/./);
    await peer.closed;
  });

  test('without a report in time the answer is 504, from the same process', async () => {
    const { server, peer } = await loggedOn({ call: '2s' });
    const before = processOf(server);
    expect(await order(server, 'T1')).toMatchObject({ status: 504 });
    expect(processOf(server)).toBe(before);
    peer.report(await peer.read('D'));
    for (;;) {
      const { body } = await ask(server, '/orders/T1');
      if (body.state === 'reported') break;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  });

  test('a refused Logon is the reason of the 503, and the plugin tries again', async () => {
    acceptor = await Acceptor.listen();
    server = await startExample({ port: acceptor.port, store: newStore() });
    const refusing = await acceptor.peer();
    await refusing.read('A');
    refusing.send('5', [[58, 'closed today']]);
    await refusing.closed;
    await session(server, { lastError: 'the peer refuses Logon: closed today' });
    expect((await order(server, 'L1')).body).toMatchObject({
      status: 503,
      detail: expect.stringContaining('closed today'),
    });
    await (await acceptor.peer()).logOn(2);
    await session(server, LOGGED_ON);
  });

  test('with reset_seq_num each connection begins at 1', async () => {
    const { server, peer } = await loggedOn({ reset: true });
    peer.send('1', [[112, 'x']]);
    await peer.read('0');
    peer.close();
    const logon = await (await acceptor.peer()).logOn();
    expect([logon.get(34), logon.get(141)]).toEqual(['1', 'Y']);
    await session(server, { ...LOGGED_ON, nextSenderMsgSeqNum: 2, nextTargetMsgSeqNum: 2 });
  });

  test('a record that was cut off is removed, and the numbers continue', async () => {
    const { server, peer } = await loggedOn();
    const answer = order(server, 'W1');
    peer.report(await peer.read('D'));
    expect((await answer).status).toBe(200);
    // What a write leaves that power loss cut off: a size, and less than that many bytes.
    appendFileSync(store.journal, Buffer.from([40, 0, 0, 0, 1, 2, 3, 4, 0x53, 3, 0, 0, 0, 0, 0, 0, 0, 0x38]));
    process.kill(processOf(server), 'SIGKILL');
    const next = await acceptor.peer();
    expect((await next.logOn(3)).get(34)).toBe('3');
    await session(server, { ...LOGGED_ON, nextTargetMsgSeqNum: 4 });
    expect(await ask(server, '/orders/W1')).toMatchObject({ body: { state: 'reported' } });
    expect(server.log.map(({ message }) => message).join('\n')).toContain(
      'removed an unfinished record from the journal: 18 bytes',
    );
  });

  test('a report that comes twice changes nothing', async () => {
    const { server, peer } = await loggedOn();
    const answer = order(server, 'P1');
    const sent = await peer.read('D');
    peer.report(sent);
    expect((await answer).body.ordStatus).toBe('new');
    const filled = [
      [11, 'P1'],
      [17, 'E-2'],
      [150, 'F'],
      [39, '2'],
    ] as const;
    peer.send('8', filled);
    peer.report(sent);
    peer.send('1', [[112, 'done']]);
    await peer.read('0');
    expect(await ask(server, '/orders/P1')).toMatchObject({ body: { report: { ordStatus: 'filled' } } });
  });
});
