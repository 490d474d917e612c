/** The FIX example against engines of others: QuickFIX in C++ and QuickFIX/J. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type TestServer } from '../fixtures/server.js';
import {
  ask,
  buildExample,
  EXAMPLE,
  newDirectory,
  order,
  orderState,
  processOf,
  session,
  startExample,
} from './fix-example.js';
import { type Engine, freePort, QuickFix, QUICKFIX, QUICKFIX_J } from './fix-quickfix.js';
import { documentedCommands, runDocumented } from './readme-commands.js';
import { startProgram, type StartedProgram } from './started-program.js';

const BUILD_MS = 900_000;
const TEST_MS = 180_000;

beforeAll(buildExample, BUILD_MS);

describe('README.md', () => {
  let peer: QuickFix;
  let server: StartedProgram | undefined;
  const readme = readFileSync(`${EXAMPLE}/README.md`, 'utf8');
  const commands = documentedCommands(`${EXAMPLE}/README.md`);

  beforeAll(async () => {
    peer = new QuickFix(QUICKFIX, await freePort());
    await peer.start();
    const command = ['dist/cli/main.js', 'start', '--config', 'examples/fix/backworks.yaml'];
    server = await startProgram([process.execPath, ...command], {
      ready: /listening on (http:\/\/[\d.]+:\d+)/,
      env: { PORT: '0', ADMIN_PORT: '0', FIX_PORT: String(peer.port), FIX_STORE: newDirectory() },
    });
    const { said } = server;
    let body = '';
    while (!body.includes('loggedOn')) body = await (await fetch(`${said}/session`)).text();
  }, TEST_MS);

  afterAll(async () => {
    await server?.end();
    await peer.end();
  });

  test('shows the start of both programs and a request to every endpoint', () => {
    expect(readme).toContain('start --config examples/fix/backworks.yaml');
    expect(readme).toContain('examples/fix/build/acceptor 5001 ');
    for (const path of ['/session', '/orders ', '/orders/'])
      expect(commands.some(({ command }) => command.includes(path))).toBe(true);
  });

  test.each(commands)('the answer to $command is the documented one', ({ command, answer }) => {
    expect(runDocumented(command, server?.said ?? '')).toBe(answer);
  });
});

const title = ({ name, missing }: Engine): string =>
  missing === null ? `with ${name}` : `with ${name}, which is missing: ${missing}`;

for (const engine of [QUICKFIX, QUICKFIX_J]) {
  (engine.missing === null ? describe : describe.skip)(title(engine), () => {
    let peer: QuickFix;
    let server: TestServer;

    beforeAll(async () => {
      peer = new QuickFix(engine, await freePort());
      await peer.start();
      server = await startExample({ port: peer.port, store: newDirectory() });
      await session(server);
    }, TEST_MS);

    afterAll(async () => {
      await server.backworks.stop();
      await peer.end();
    }, TEST_MS);

    test(
      'an order is filled; Reject and BusinessMessageReject are a 502 with their code and name',
      async () => {
        expect(await order(server, 'A1')).toMatchObject({
          status: 200,
          body: { clOrdId: 'A1', orderId: 'O-A1', execType: 'trade', ordStatus: 'filled', cumQty: 5 },
        });
        const rejected = await order(server, 'A2', 'REJECT');
        expect(rejected.status).toBe(502);
        expect(rejected.body.detail).toContain('Reject: Value is incorrect (out of range) for this tag (5)');
        const unsupported = await order(server, 'A3', 'UNSUPPORTED');
        expect(unsupported.status).toBe(502);
        expect(unsupported.body.detail).toContain('BusinessMessageReject: Unsupported Message Type (3)');
      },
      TEST_MS,
    );

    test(
      'many orders at once get the reports of their own',
      async () => {
        const ids = Array.from({ length: 40 }, (_, index) => `M${index}`);
        const answers = await Promise.all(ids.map((id) => order(server, id)));
        expect(answers.map(({ status, body }) => [status, body.clOrdId])).toEqual(ids.map((id) => [200, id]));
      },
      TEST_MS,
    );

    test(
      'orders get 503 while the peer is away, and the session continues when it is back',
      async () => {
        const { body: before } = await ask(server, '/session');
        await peer.end('SIGKILL');
        await session(server, { state: 'disconnected' });
        expect(await order(server, 'C1')).toMatchObject({ status: 503 });
        await peer.start();
        await session(server);
        expect(await order(server, 'C1')).toMatchObject({ status: 200, body: { ordStatus: 'filled' } });
        const { body: after } = await ask(server, '/session');
        expect(after.nextSenderMsgSeqNum).toBeGreaterThan(Number(before.nextSenderMsgSeqNum));
        expect(after.nextTargetMsgSeqNum).toBeGreaterThan(Number(before.nextTargetMsgSeqNum));
      },
      TEST_MS,
    );

    test(
      'numbers and orders survive SIGKILL of the process during a call, and the report that was missed comes again',
      async () => {
        const waiting = order(server, 'D1', 'LATE');
        await peer.got('D1');
        const killed = processOf(server);
        process.kill(killed, 'SIGKILL');
        expect((await waiting).status).toBeGreaterThanOrEqual(500);
        await session(server);
        expect(processOf(server)).not.toBe(killed);
        // The peer made the report while the connection was away: its Logon has a number that is too high.
        await orderState(server, 'D1', 'reported');
        expect(await ask(server, '/orders/C1')).toMatchObject({
          body: { state: 'reported', report: { orderId: 'O-C1' } },
        });
        expect(await order(server, 'D1')).toMatchObject({ status: 409 });
        expect(await order(server, 'D2')).toMatchObject({ status: 200, body: { clOrdId: 'D2' } });
      },
      TEST_MS,
    );

    test(
      'the peer gets orders again that it has lost, as possible duplicates',
      async () => {
        const { body } = await ask(server, '/session');
        await peer.end();
        peer.forget(2);
        await peer.start();
        await session(server);
        expect(await order(server, 'E1')).toMatchObject({ status: 200 });
        const orders = peer.orders();
        expect(orders.slice(0, 3)).toEqual(['A1 resent', 'A2 resent', 'A3 resent']);
        expect(orders.slice(-4)).toEqual(['C1 resent', 'D1 resent', 'D2 resent', 'E1']);
        expect(orders).toHaveLength(47);
        const { body: after } = await ask(server, '/session');
        expect(after.nextSenderMsgSeqNum).toBeGreaterThan(Number(body.nextSenderMsgSeqNum));
      },
      TEST_MS,
    );
  });
}
