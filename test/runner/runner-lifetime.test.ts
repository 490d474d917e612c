import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import {
  ANSWER,
  call,
  Conversation,
  endConversations,
  hello,
  initialize,
  load,
  RUNNER,
  sandbox,
  shutdown,
} from './runner-conversation.js';
import { Grounds } from './sandbox/sandboxed-runner.js';

const grounds = new Grounds();

/** The intermediate server of a test; ended here so that a test that times out leaves nothing behind. */
let server: ChildProcess | undefined;

afterEach(() => {
  server?.kill('SIGKILL');
  server = undefined;
  endConversations();
});

afterAll(() => grounds.remove());

describe('the end as asked', () => {
  test('shutdown() is paired with initialize(), its status sent, and nothing runs afterwards', async () => {
    const runner = await Conversation.ready(compilePlugin('lifecycle'));
    runner.send(shutdown(7));
    const { id, value, payload } = await runner.expect(ANSWER.STATUS);
    expect([id, value, payload.toString()]).toEqual([7, 4, 'a drawer is still open']);
    expect(await runner.ended).toEqual({ code: 0, signal: null });
    expect(runner.stdout).toBe('constructor\ninitialize {}\nshutdown without a line break');
    expect(runner.stderr).toBe('complaint\n');
  });

  test('without initialize() there is no shutdown()', async () => {
    const runner = new Conversation();
    runner.send(hello(), load(compilePlugin('lifecycle')), shutdown());
    expect(await runner.ended).toEqual({ code: 0, signal: null });
    expect(runner.stdout).toBe('constructor\n');
  });

  test('a runner that has loaded nothing ends too', async () => {
    const runner = new Conversation();
    runner.send(hello(), shutdown(3));
    await runner.expect(ANSWER.HELLO);
    expect(await runner.expect(ANSWER.STATUS)).toMatchObject({ id: 3, value: 0 });
    expect(await runner.ended).toEqual({ code: 0, signal: null });
  });

  test('a closed socket ends it at once, without shutdown()', async () => {
    const runner = await Conversation.ready(compilePlugin('lifecycle'));
    runner.socket.end();
    expect(await runner.ended).toEqual({ code: 0, signal: null });
    expect(runner.stdout).toBe('constructor\ninitialize {}\n');
  });

  test('a server that stops reading and goes away is no failure', async () => {
    const runner = await Conversation.ready(compilePlugin('answers'));
    runner.socket.pause();
    const calls = Array.from({ length: 50 }, (_, id) =>
      call(id, 'process_endpoint', ['/long', 'GET', '1000000']),
    );
    runner.socket.write(Buffer.concat(calls), () => runner.socket.destroy());
    expect(await runner.ended).toEqual({ code: 0, signal: null });
  });
});

test('printed lines leave at once, on their own streams', async () => {
  const runner = await Conversation.ready(compilePlugin('lifecycle'));
  await runner.until(() => runner.stdout === 'constructor\ninitialize {}\n');
  expect(runner.stderr).toBe('');
});

describe('the end of the server', () => {
  /** A process that starts a runner, makes it spin, prints its process id and stays. */
  const SERVER_SCRIPT = `
    const [runner, frames] = process.argv.slice(1);
    const child = require('node:child_process').spawn(
      runner, ['--parent', String(process.pid)], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
    // 67 is STATUS, the answer to INITIALIZE: the call behind it is running now or will be.
    child.stdio[3].on('data', (data) => { if (data.includes(Buffer.of(67))) console.log(child.pid); });
    child.stdio[3].write(Buffer.from(frames, 'base64'));
  `;

  test.each([
    ['a spinning call', 'hang', []],
    ['a sleeping call', 'answers', []],
    // Becoming another user makes the system forget whose end ends the runner.
    ['a spinning call in a sandbox', 'hang', ['mode=strict']],
  ])('killed, it takes along %s', async (_, plugin, settings) => {
    const spinning = plugin === 'hang' ? ['/hang', 'GET', ''] : ['/sleep', 'GET', '3600000'];
    const library = grounds.library(plugin);
    const frames = Buffer.concat([
      hello(),
      ...(settings.length > 0 ? [sandbox([`library=${library}`, ...settings])] : []),
      load(library),
      initialize(),
      call(3, 'process_endpoint', spinning),
    ]);
    const script = spawn(process.execPath, ['-e', SERVER_SCRIPT, RUNNER, frames.toString('base64')]);
    server = script;
    const [line] = (await once(script.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    expect(isRunning(pid)).toBe(true);
    script.kill('SIGKILL');
    await once(script, 'exit');
    // The test's own time limit bounds the wait.
    while (isRunning(pid)) await sleep(5);
  });

  test('a runner whose server is already gone does not begin', async () => {
    const gone = spawn(process.execPath, ['-e', '']);
    await once(gone, 'exit');
    const runner = new Conversation(['--parent', String(gone.pid)]);
    expect(await runner.ended).toEqual({ code: 77, signal: null });
    expect(runner.remaining()).toEqual([]);
  });
});

/** A zombie has ended too; who collects it is not the runner's affair. */
function isRunning(pid: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^\d+ \(.*\) [ZX]/s.test(status);
  } catch {
    return false;
  }
}
