import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { compilePlugin } from '../../fixtures/compile.js';
import {
  ANSWER,
  Conversation,
  endConversations,
  hello,
  load,
  sandbox,
} from '../../runner/runner-conversation.js';
import { Grounds, SandboxedRunner, strings, USERS } from '../../runner/sandbox/sandboxed-runner.js';

const grounds = new Grounds();
const runner = grounds.runner();
afterEach(endConversations);
afterAll(() => grounds.remove());

/** Strings before those of the callers. */
const FIXED = 7;
const HEX = /^0x[0-9a-f]+$/;

describe.each(USERS)('a runner %s', (_, user) => {
  const start = (name: string, settings: readonly string[] = []): Promise<SandboxedRunner> =>
    SandboxedRunner.start(grounds.library(`hostile/${name}`), settings, { program: runner, user });

  test.each([
    ['null', 'SIGSEGV', 11, '0x0'],
    ['wild', 'SIGSEGV', 11, '0xdead0000'],
    ['divide', 'SIGFPE', 8, HEX],
    ['overflow', 'SIGSEGV', 11, HEX],
    ['thread', 'SIGSEGV', 11, '0x0'],
  ] as const)('reports where a plugin crashed: %s', async (how, name, signal, address) => {
    const { signal: ended, last } = await (await start('h01_crash')).attemptFatally(how);
    expect(ended).toBe(name);
    expect(last).toMatchObject({ type: ANSWER.CRASHED, id: 0, detail: 0, value: signal });
    const [touched, module, offset, phase, ...call] = strings(last!).slice(0, FIXED);
    expect(touched).toMatch(address);
    expect([module, phase, ...call]).toEqual(['h01_crash.so', 'process_endpoint', '', '', '']);
    expect(offset).toMatch(HEX);
  });

  test('reports the offset that symbol tables use', async () => {
    const { last } = await (await start('h01_crash')).attemptFatally('thread');
    const offset = Number(strings(last!)[2]);
    const symbols = execFileSync('nm', ['-S', compilePlugin('hostile/h01_crash')], { encoding: 'utf8' });
    const [, begin = '', size = ''] = /^([0-9a-f]+) ([0-9a-f]+) t in_thread$/m.exec(symbols) ?? [];
    expect(offset).toBeGreaterThanOrEqual(parseInt(begin, 16));
    expect(offset).toBeLessThan(parseInt(begin, 16) + parseInt(size, 16));
  });

  test.each([
    ['abort', 'SIGABRT', 6],
    ['raise', 'SIGSEGV', 11],
  ] as const)('reports a signal without an address: %s', async (how, name, signal) => {
    const { signal: ended, last } = await (await start('h01_crash')).attemptFatally(how);
    expect(ended).toBe(name);
    expect(last).toMatchObject({ type: ANSWER.CRASHED, value: signal });
    expect(strings(last!)[0]).toBe('');
  });

  test.each(['null', 'wild', 'abort', 'overflow', 'call'])(
    'reports the calls that led to a crash, each in its module: %s',
    async (how) => {
      const { last } = await (await start('h01_crash')).attemptFatally(how);
      const [, module, offset, , , , , ...callers] = strings(last!);
      expect(callers.length % 2).toBe(0);
      expect(callers.length).toBeLessThanOrEqual(64);
      const places = [module, offset, ...callers];
      expect(places.filter((_, index) => index % 2 === 0)).toContain('h01_crash.so');
      for (const place of places.filter((_, index) => index % 2 === 1)) expect(place).toMatch(HEX);
    },
  );

  test('reports no module for a call to an address without code', async () => {
    const { last } = await (await start('h01_crash')).attemptFatally('call');
    expect(strings(last!).slice(0, 3)).toEqual(['0x1234', '', '0x1234']);
  });

  const forbidden = process.arch === 'x64' ? { ptrace: 101, unshare: 272 } : { ptrace: 117, unshare: 97 };
  test.each([...Object.entries(forbidden), ['io_uring_setup', 425] as const])(
    'names the forbidden system call %s',
    async (name, number) => {
      const { signal, last } = await (await start('h25_forbidden')).attemptFatally(String(number));
      expect(signal).toBe('SIGSYS');
      expect(last).toMatchObject({ type: ANSWER.CRASHED, value: 31 });
      expect(strings(last!).slice(3, FIXED)).toEqual(['process_endpoint', String(number), name, '']);
    },
  );

  test('ends a plugin that blocks SIGSYS before a forbidden call', async () => {
    const plugin = await start('h25_forbidden');
    expect(await plugin.attemptFatally(String(forbidden.ptrace), 'blocked')).toEqual({
      signal: 'SIGSYS',
      last: undefined,
    });
  });

  if (process.arch === 'x64') {
    test.each(['int80', String(0x40000000 + 39)])('ends a plugin that calls %s', async (how) => {
      expect((await (await start('h25_forbidden')).attemptFatally(how)).signal).toBe('SIGSYS');
    });
  }
});

test('a crash while loading is reported in phase load', async () => {
  const library = grounds.library('crash_constructor');
  const conversation = new Conversation(undefined, { program: runner });
  conversation.send(hello(), sandbox([`library=${library}`]), load(library));
  const { signal } = await conversation.ended;
  const last = conversation.remaining().at(-1);
  expect(signal).not.toBeNull();
  expect(last).toMatchObject({ type: ANSWER.CRASHED });
  expect(strings(last!)[3]).toBe('load');
});

test('without SANDBOX no crash is reported', async () => {
  const conversation = await Conversation.ready(compilePlugin('crash_segv'));
  conversation.send(load('x'));
  await conversation.ended;
  expect(conversation.remaining()).toEqual([]);
});
