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

/** The intermediate server of a test. Ended here, so that a test that times out leaves nothing behind. */
let server: ChildProcess | undefined;

afterEach(() => {
  server?.kill('SIGKILL');
  server = undefined;
  endConversations();
});

afterAll(() => grounds.remove());

describe('an orderly end', () => {
  test('calls shutdown() after initialize(), sends its status, and runs no code of the plugin afterwards', async () => {
    const runner = await Conversation.ready(compilePlugin('lifecycle'));
    runner.send(shutdown(7));
    const { id, value, payload } = await runner.expect(ANSWER.STATUS);
    expect([id, value, payload.toString()]).toEqual([7, 4, 'a drawer is still open']);
    expect(await runner.ended).toEqual({ code: 0, signal: null });
    expect(runner.stdout).toBe('constructor\ninitialize {}\nshutdown without a line break');
    expect(runner.stderr).toBe('complaint\n');
  });

  test('does not call shutdown() without initialize()', async () => {
    const runner = new Conversation();
    runner.send(hello(), load(compilePlugin('lifecycle')), shutdown());
    expect(await runner.ended).toEqual({ code: 0, signal: null });
    expect(runner.stdout).toBe('constructor\n');
  });

  test('is possible before a library is loaded', async () => {
    const runner = new Conversation();
    runner.send(hello(), shutdown(3));
    await runner.expect(ANSWER.HELLO);
    expect(await runner.expect(ANSWER.STATUS)).toMatchObject({ id: 3, value: 0 });
    expect(await runner.ended).toEqual({ code: 0, signal: null });
  });

  test('follows at once when the socket is closed, without shutdown()', async () => {
    const runner = await Conversation.ready(compilePlugin('lifecycle'));
    runner.socket.end();
    expect(await runner.ended).toEqual({ code: 0, signal: null });
    expect(runner.stdout).toBe('constructor\ninitialize {}\n');
  });

  test('is no failure when the server stops reading and closes', async () => {
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
  /** A process that starts a runner, lets it spin, prints its process id and stays. */
  const SERVER_SCRIPT = `
    const [runner, frames] = process.argv.slice(1);
    const child = require('node:child_process').spawn(
      runner, ['--parent', String(process.pid)], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
    // 67 is STATUS, the answer to INITIALIZE: the call behind it runs now or soon.
    child.stdio[3].on('data', (data) => { if (data.includes(Buffer.of(67))) console.log(child.pid); });
    child.stdio[3].write(Buffer.from(frames, 'base64'));
  `;

  test.each([
    ['a spinning call', 'hang', []],
    ['a sleeping call', 'answers', []],
    // When a process becomes another user, the kernel clears its parent-death signal.
    ['a spinning call in a sandbox', 'hang', ['mode=strict']],
  ])('ends %s when the server is killed', async (_, plugin, settings) => {
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
    // The time limit of the test bounds this wait.
    while (isRunning(pid)) await sleep(5);
  });

  test('a runner whose server has already ended does not start', async () => {
    const gone = spawn(process.execPath, ['-e', '']);
    await once(gone, 'exit');
    const runner = new Conversation(['--parent', String(gone.pid)]);
    expect(await runner.ended).toEqual({ code: 77, signal: null });
    expect(runner.remaining()).toEqual([]);
  });
});

/** Also true for a zombie, which has ended; reaping it is not the runner's task. */
function isRunning(pid: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^\d+ \(.*\) [ZX]/s.test(status);
  } catch {
    return false;
  }
}
