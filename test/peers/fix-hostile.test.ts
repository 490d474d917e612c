/** The FIX example against an acceptor that breaks the rules of the session layer. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { startServer, type TestServer } from '../fixtures/server.js';
import {
  ask,
  buildExample,
  type FixOptions,
  fixYaml,
  journalOf,
  newDirectory,
  order,
  orderState,
  processOf,
  session,
  startExample,
} from './fix-example.js';
import {
  encode,
  type Fields,
  HostileAcceptor,
  type Peer,
  timestamp,
  type Wish,
} from './fix-hostile-acceptor.js';

const BUILD_MS = 900_000;
/** In seconds. */
const DAY = 86_400;
jest.setTimeout(180_000);

beforeAll(buildExample, BUILD_MS);

let acceptor: HostileAcceptor;
let server: TestServer;
let store: string;

/** Starts an acceptor, and a server whose plugin has an empty journal. @returns the connection of the plugin */
async function connected(options: Partial<FixOptions> = {}): Promise<Peer> {
  acceptor = await HostileAcceptor.listen();
  store = newDirectory();
  server = await startExample({ port: acceptor.port, store, ...options });
  return acceptor.peer();
}

async function loggedOn(options: Partial<FixOptions> = {}): Promise<Peer> {
  const peer = await connected(options);
  await peer.logOn();
  await session(server);
  return peer;
}

/** Sends an order that the peer reports as new. @returns what the peer got */
async function reported(peer: Peer, clOrdId: string): Promise<ReadonlyMap<number, string>> {
  const answer = order(server, clOrdId);
  const sent = await peer.read('D');
  peer.report(sent);
  expect(await answer).toMatchObject({ status: 200, body: { clOrdId, ordStatus: 'new' } });
  return sent;
}

afterEach(async () => {
  await acceptor.close();
  await server.backworks.stop();
});

describe('the session', () => {
  test('answers TestRequest with its TestReqID, and a message it does not read with BusinessMessageReject', async () => {
    const peer = await loggedOn();
    expect((await peer.test('are you there')).get(112)).toBe('are you there');
    peer.send('B', [[148, 'news']]);
    const reject = await peer.read('j');
    expect([reject.get(45), reject.get(372), reject.get(380)]).toEqual(['3', 'B', '3']);
    peer.send('U9', [[9999, 'of our own']]);
    expect((await peer.read('j')).get(372)).toBe('U9');
  });

  test('sends Heartbeat each interval; a silent peer gets a TestRequest and then loses the connection', async () => {
    const peer = await loggedOn({ config: 'heart_bt_int: 1' });
    await peer.read('0');
    expect((await peer.read('1')).get(112)).toMatch(/./);
    await peer.closed;
  });

  test('sends orders again as possible duplicates, and gap fill for the other messages', async () => {
    const peer = await loggedOn();
    const first = await reported(peer, 'R1');
    await peer.test('x');
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
    peer.send('2', [
      [7, '9'],
      [16, '0'],
    ]);
    const reject = await peer.read('3');
    expect([reject.get(371), reject.get(373)]).toEqual(['7', '5']);
  });

  test('of many requests at once for the same orders, the plugin answers fewer', async () => {
    const peer = await loggedOn();
    await reported(peer, 'F1');
    const everything: Fields = [
      [7, '1'],
      [16, '0'],
    ];
    peer.together(() => {
      for (let round = 0; round < 1000; round += 1) peer.send('2', everything);
    });
    peer.send('1', [[112, 'still here']]);
    let resent = 0;
    let message = await peer.read();
    while (message.get(112) !== 'still here') {
      if (message.get(35) === 'D') resent += 1;
      message = await peer.read();
    }
    expect(resent).toBeGreaterThan(0);
    expect(resent).toBeLessThan(500);
  });

  test('Logout of the peer is answered; the peer closes the connection, and the plugin connects again', async () => {
    const peer = await loggedOn();
    peer.send('5', [[58, 'end of day']]);
    await peer.read('5');
    peer.close();
    await session(server, { lastError: 'the peer logged out: end of day' });
    await (await acceptor.peer()).logOn(3);
    await session(server);
  });

  test('the plugin logs out when it stops, and waits for the answer', async () => {
    const peer = await loggedOn();
    const stopped = server.backworks.stop();
    expect((await peer.read('5')).get(58)).toBe('the plugin stops');
    peer.send('5');
    await peer.closed;
    await stopped;
  });

  test('with reset_seq_num each connection begins at 1', async () => {
    const peer = await loggedOn({ config: 'reset_seq_num: true' });
    await peer.test('x');
    peer.close();
    const logon = await (await acceptor.peer()).logOn();
    expect([logon.get(34), logon.get(141)]).toEqual(['1', 'Y']);
    await session(server, { state: 'loggedOn', nextSenderMsgSeqNum: 2, nextTargetMsgSeqNum: 2 });
  });
});

describe('Logon', () => {
  test('a refusal is the reason of the 503, and the plugin tries again', async () => {
    const refusing = await connected();
    await refusing.read('A');
    refusing.send('5', [[58, 'closed today']]);
    await refusing.closed;
    await session(server, { lastError: 'the peer refuses Logon: closed today' });
    const answer = await order(server, 'L1');
    expect(answer.status).toBe(503);
    expect(answer.body.detail).toContain('closed today');
    await (await acceptor.peer()).logOn(2);
    await session(server);
  });

  test.each<[string, (peer: Peer) => unknown, string]>([
    ['another message', (peer) => peer.send('0'), 'the first message is not Logon'],
    ['a Logon without HeartBtInt', (peer) => peer.send('A', [[98, '0']]), 'Logon is invalid: tag 108'],
    [
      'a Logon of another party',
      (peer) => peer.logOn(1, { sender: 'SOMEBODY' }),
      'wrong SenderCompID or TargetCompID',
    ],
    [
      'a Logon of another version',
      (peer) => peer.logOn(1, { change: another }),
      'BeginString is FIX.4.2, not FIX.4.4',
    ],
    [
      'a Logon that resets the numbers',
      (peer) =>
        peer.send('A', [
          [98, '0'],
          [108, '30'],
          [141, 'Y'],
        ]),
      'the peer resets sequence numbers, and reset_seq_num is false',
    ],
  ])('%s ends the session', async (_what, answer, reason) => {
    const peer = await connected();
    await answer(peer);
    expect((await peer.read('5')).get(58)).toBe(reason);
    await peer.closed;
    await session(server, { lastError: reason });
  });

  test('a Logon whose number is too high is accepted, and what is missing is requested', async () => {
    const peer = await connected();
    await peer.logOn(5);
    await session(server);
    const request = await peer.read('2');
    expect([request.get(7), request.get(16)]).toEqual(['1', '0']);
    peer.send('4', fillTo(6), { number: 1, possDup: true });
    await session(server, { nextTargetMsgSeqNum: 6 });
  });
});

/** The same message with BeginString FIX.4.2 and its own checksum. */
function another(bytes: string): string {
  const text = bytes.replace('8=FIX.4.4', '8=FIX.4.2').slice(0, -7);
  const sum = [...Buffer.from(text, 'latin1')].reduce((total, byte) => total + byte, 0) % 256;
  return `${text}10=${String(sum).padStart(3, '0')}\x01`;
}

/** The message with two of its fields in each other's place. */
function swapped(bytes: string, a: number, b: number): string {
  const fields = bytes.split('\x01');
  return fields
    .map((field, index) => fields[index === a ? b : index === b ? a : index] ?? field)
    .join('\x01');
}

const fillTo = (next: number): Fields => [
  [123, 'Y'],
  [36, String(next)],
];

test.each<[string, (bytes: string) => string]>([
  ['a wrong checksum', (bytes) => bytes.replace(/10=(\d)/, (_, digit) => `10=${(Number(digit) + 1) % 10}`)],
  ['a checksum of two digits', (bytes) => bytes.replace(/10=\d/, '10=')],
  ['a BodyLength that is too large', (bytes) => bytes.replace(/9=\d+/, '9=9000')],
  ['a BodyLength that is too small', (bytes) => bytes.replace(/9=\d+/, '9=5')],
  ['a BodyLength beyond all limits', (bytes) => bytes.replace(/9=\d+/, '9=99999999999999999999')],
  ['a negative BodyLength', (bytes) => bytes.replace(/9=\d+/, '9=-5')],
  ['BodyLength not second', (bytes) => swapped(bytes, 1, 2)],
  ['MsgType not third', (bytes) => swapped(bytes, 2, 3)],
  ['no trailer', (bytes) => bytes.slice(0, -7)],
  ['half of it missing', (bytes) => bytes.slice(0, bytes.length / 2)],
  ['a changed byte', (bytes) => bytes.replace('11=G', '11=g')],
])(
  'a report with %s is ignored, and its number is requested again, twice if need be',
  async (_what, change) => {
    const peer = await loggedOn();
    for (const round of [1, 2]) {
      const answer = order(server, `G${round}`);
      const sent = await peer.read('D');
      const number = peer.next;
      peer.report(sent, { change });
      // What a message that was cut off claims to have must come before it is seen to be wrong.
      for (let i = 0; i < 3; i += 1) peer.send('0');
      const request = await peer.read('2');
      expect([request.get(7), request.get(16)]).toEqual([String(number), '0']);
      peer.report(sent, { number, possDup: true });
      peer.send('4', fillTo(number + 4), { number: number + 1, possDup: true });
      expect(await answer).toMatchObject({ status: 200, body: { clOrdId: `G${round}`, ordStatus: 'new' } });
    }
    await session(server, { nextTargetMsgSeqNum: peer.next });
    const { body } = await ask(server, '/session');
    expect(body.garbledMessages).toBeGreaterThanOrEqual(2);
  },
);

describe('a message that breaks a rule', () => {
  const possDup = true;
  test.each<[string, string, Fields, Wish, Record<number, string>]>([
    ['a field without a value', '1', [[112, '']], {}, { 371: '112', 373: '4' }],
    ['a required field missing', '1', [], {}, { 371: '112', 373: '1' }],
    ['SendingTime missing', '0', [], { time: null }, { 371: '52', 373: '1' }],
    ['a SendingTime that is no time', '0', [], { time: 'noon' }, { 371: '52', 373: '6' }],
    ['a type that FIX does not have', 'zz', [], {}, { 372: 'zz', 373: '11' }],
    ['text instead of a number', '2', [[7, 'one'], [16, '0']], {}, { 371: '7', 373: '6' }], // prettier-ignore
    ['a flag that is neither Y nor N', '0', [[43, 'x']], {}, { 371: '43', 373: '6' }],
    ['a field of the header in the body', '0', [[112, 'x'], [50, 'desk']], {}, { 371: '50', 373: '14' }], // prettier-ignore
    ['a field twice', '1', [[112, 'x'], [112, 'y']], {}, { 371: '112', 373: '13' }], // prettier-ignore
    ['the tag 0', '0', [[0, 'x']], {}, { 373: '0' }],
    ['GapFill that goes back', '4', fillTo(1), {}, { 371: '36', 373: '5' }],
    ['PossDupFlag without OrigSendingTime', '0', [], { possDup, original: null }, { 371: '122', 373: '1' }],
    ['an OrigSendingTime after its SendingTime', '0', [], { possDup, original: timestamp(DAY) }, { 371: '122', 373: '10' }], // prettier-ignore
  ])('%s is rejected with its reason, and uses up its number', async (_what, type, body, wish, expected) => {
    const peer = await loggedOn();
    peer.send(type, body, wish);
    const reject = await peer.read('3');
    const found = Object.keys(expected).map((tag): [string, unknown] => [tag, reject.get(Number(tag))]);
    expect({ 45: reject.get(45), ...Object.fromEntries(found) }).toEqual({ 45: '2', ...expected });
    await peer.test('the next number');
    await session(server, { nextTargetMsgSeqNum: 4 });
  });

  test.each<[string, Record<number, string | null>, string, string]>([
    ['lacks ExecID', { 17: null }, '17', '1'],
    ['has a status that FIX does not have', { 39: 'Z' }, '39', '5'],
    ['has text instead of a quantity', { 151: 'many' }, '151', '6'],
  ])(
    'a report that %s is rejected, and the order waits for a right one',
    async (_what, other, tag, reason) => {
      const peer = await loggedOn();
      const answer = order(server, 'X1');
      const sent = await peer.read('D');
      peer.report(sent, {}, other);
      const reject = await peer.read('3');
      expect([reject.get(371), reject.get(373), reject.get(372)]).toEqual([tag, reason, '8']);
      peer.report(sent);
      expect(await answer).toMatchObject({ status: 200, body: { clOrdId: 'X1', ordStatus: 'new' } });
    },
  );

  test('a Reject that breaks a rule is not rejected', async () => {
    const peer = await loggedOn();
    peer.send('3');
    await peer.test('quiet');
    peer.send('1');
    const reject = await peer.read('3');
    expect(reject.get(45)).toBe('4');
  });

  test.each<[string, Wish, string]>([
    ['another SenderCompID', { sender: 'SOMEBODY' }, '9'],
    ['a SendingTime of yesterday', { time: timestamp(-DAY) }, '10'],
    ['a SendingTime of tomorrow', { time: timestamp(DAY) }, '10'],
  ])('%s causes a Reject and the end of the session, and uses up its number', async (_what, wish, reason) => {
    const peer = await loggedOn();
    peer.send('0', [], wish);
    const reject = await peer.read('3');
    expect([reject.get(45), reject.get(373)]).toEqual(['2', reason]);
    await peer.read('5');
    await peer.closed;
    await (await acceptor.peer()).logOn(3);
    await session(server, { state: 'loggedOn', nextTargetMsgSeqNum: 4 });
  });

  test('with max_clock_difference 0 any SendingTime is accepted', async () => {
    const peer = await loggedOn({ config: 'max_clock_difference: 0' });
    peer.send('0', [], { time: '19990101-00:00:00' });
    await peer.test('on time');
  });
});

describe('sequence numbers', () => {
  test('one that is too low ends the session with a Logout that says so; a possible duplicate does not', async () => {
    const peer = await loggedOn();
    peer.send('0', [], { number: 1, possDup: true });
    await peer.test('still here');
    peer.send('0', [], { number: 1, possDup: true, original: null });
    expect((await peer.read('3')).get(371)).toBe('122');
    peer.send('0', [], { number: 2 });
    expect((await peer.read('5')).get(58)).toBe('MsgSeqNum too low, expecting 3 but received 2');
    await peer.closed;
  });

  test('one that is missing ends the session', async () => {
    const peer = await loggedOn();
    peer.raw(
      encode([
        [35, '0'],
        [49, 'ACCEPTOR'],
        [56, 'BACKWORKS'],
      ]),
    );
    expect((await peer.read('5')).get(58)).toBe('MsgSeqNum is missing');
    await peer.closed;
  });

  test('SequenceReset may only go forward', async () => {
    const peer = await loggedOn();
    peer.send('4', [[36, '10']], { number: 1 });
    await session(server, { nextTargetMsgSeqNum: 10 });
    peer.send('4', [[36, '5']], { number: 10 });
    const reject = await peer.read('3');
    expect([reject.get(371), reject.get(373)]).toEqual(['36', '5']);
    peer.send('4', [[36, '10']], { number: 7 });
    peer.next = 10;
    await peer.test('ten');
  });

  test('a gap within what was sent again is requested again', async () => {
    const peer = await loggedOn();
    peer.send('0', [], { number: 6 });
    expect((await peer.read('2')).get(7)).toBe('2');
    peer.send('4', fillTo(3), { number: 2, possDup: true });
    peer.send('4', fillTo(6), { number: 4, possDup: true });
    expect((await peer.read('2')).get(7)).toBe('3');
    peer.send('4', fillTo(7), { number: 3, possDup: true });
    await session(server, { nextTargetMsgSeqNum: 7 });
  });

  test('a report that comes twice changes nothing', async () => {
    const peer = await loggedOn();
    const sent = await reported(peer, 'P1');
    peer.report(sent, {}, { 17: 'E-2', 150: 'F', 39: '2', 151: '0', 14: '5', 6: '10' });
    peer.report(sent);
    await peer.test('done');
    expect(await ask(server, '/orders/P1')).toMatchObject({ body: { report: { ordStatus: 'filled' } } });
  });
});

describe('orders', () => {
  test('without a report in time the answer is 504, from the same process, and the report is kept', async () => {
    const peer = await loggedOn({ call: '2s' });
    const before = processOf(server);
    expect(await order(server, 'T1')).toMatchObject({ status: 504 });
    expect(processOf(server)).toBe(before);
    peer.report(await peer.read('D'));
    await orderState(server, 'T1', 'reported');
  });

  test.each<[string, Record<string, unknown> | unknown[]]>([
    ['the body is a JSON object', []],
    ['unknown member stopPx', { stopPx: 1 }],
    ['clOrdId is a text', { clOrdId: 'a\x0155=EVIL' }],
    ['side is one of buy, sell', { side: 'hold' }],
    ['orderQty is a number above 0', { orderQty: '5' }],
    ['orderQty is a number above 0', { orderQty: -5 }],
    ['price is a number above 0', { ordType: 'limit' }],
    ['a market order has no price', { price: 5 }],
    ['timeInForce is one of', { timeInForce: 'tomorrow' }],
  ])('a 400 says: %s', async (detail, change) => {
    await loggedOn();
    const right = { clOrdId: 'W1', symbol: 'BWX', side: 'buy', orderQty: 5, ordType: 'market' };
    const response = await fetch(`${server.url}/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(Array.isArray(change) ? change : { ...right, ...change }),
    });
    expect({ status: response.status, body: await response.json() }).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining(detail) as unknown },
    });
  });
});

describe('the journal', () => {
  test('a record that was cut off is removed, and the numbers continue', async () => {
    const peer = await loggedOn();
    await reported(peer, 'W1');
    // What a write leaves that power loss cut off: a size, and less than that many bytes.
    appendFileSync(
      journalOf(store),
      Buffer.from([40, 0, 0, 0, 1, 2, 3, 4, 0x53, 3, 0, 0, 0, 0, 0, 0, 0, 0x38]),
    );
    process.kill(processOf(server), 'SIGKILL');
    expect((await (await acceptor.peer()).logOn(3)).get(34)).toBe('3');
    await session(server, { state: 'loggedOn', nextTargetMsgSeqNum: 4 });
    expect(await ask(server, '/orders/W1')).toMatchObject({ body: { state: 'reported' } });
    expect(server.log.map(({ message }) => message).join('\n')).toContain(
      'removed an unfinished record from the journal: 18 bytes',
    );
  });

  test('a journal that is damaged elsewhere is refused and left as it is', async () => {
    const peer = await loggedOn();
    await reported(peer, 'Y1');
    const damaged = readFileSync(journalOf(store));
    damaged[40] = (damaged[40] ?? 0) ^ 1;
    writeFileSync(journalOf(store), damaged);
    process.kill(processOf(server), 'SIGKILL');
    await session(server, { lastError: 'the journal is damaged at byte 36' });
    expect(readFileSync(journalOf(store)).equals(damaged)).toBe(true);
    expect(await order(server, 'Y2')).toMatchObject({ status: 503 });
  });

  test('the journal of another session is refused', async () => {
    await loggedOn();
    await server.backworks.stop();
    server = await startServer(
      fixYaml({ port: acceptor.port, store }).replace('sender_comp_id: BACKWORKS', 'sender_comp_id: OTHER'),
    );
    await session(server, {
      lastError: 'the journal belongs to the session BACKWORKS->ACCEPTOR, not to OTHER->ACCEPTOR',
    });
  });

  test('another process takes over the session with its numbers at a restart', async () => {
    const peer = await loggedOn();
    await reported(peer, 'V1');
    const restarted = server.backworks.restartPlugin('fix');
    await peer.read('5');
    peer.send('5');
    await (await acceptor.peer()).logOn(4);
    await restarted;
    await session(server, { state: 'loggedOn', nextSenderMsgSeqNum: 5, nextTargetMsgSeqNum: 5 });
    expect(await ask(server, '/orders/V1')).toMatchObject({ body: { state: 'reported' } });
  });
});
