import { readFileSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { compileProgram } from '../../fixtures/compile.js';
import { ANSWER, Conversation, endConversations, hello, sandbox } from '../../runner/runner-conversation.js';
import { Grounds, SandboxedRunner, strings, USERS } from '../../runner/sandbox/sandboxed-runner.js';

const grounds = new Grounds();
const runner = grounds.runner();
afterEach(endConversations);
afterAll(() => grounds.remove());

const UNSHARE = process.arch === 'x64' ? 272 : 97;
const PENDING_SIGNALS = 1024;

describe.each(USERS)('a plugin in a runner %s', (_, user) => {
  const start = (name: string, settings: readonly string[] = []): Promise<SandboxedRunner> =>
    SandboxedRunner.start(grounds.library(`hostile/${name}`), settings, { program: runner, user });

  test('has exactly as many threads as its limit, however they are started', async () => {
    const bare = await start('h52_bare_threads', ['threads=17']);
    expect(bare.states).toEqual(expect.arrayContaining(['user_namespace=1', 'threads=17']));
    expect(await bare.attempt('/bad')).toEqual({ one_more: 'EAGAIN', clone3: 'ENOSYS', threads: 16 });
    const ordinary = await start('h16_thread_bomb', ['threads=9']);
    expect(await ordinary.attempt('/bad')).toEqual({ one_more: 'EAGAIN', threads: 8 });
  });

  test('takes no threads, signals or timers from another process of the same user', async () => {
    const library = grounds.library('hostile/h53_quotas');
    const another = (): Promise<SandboxedRunner> =>
      SandboxedRunner.start(library, [], { program: runner, user });
    const [taker, other] = [await another(), await another()];
    const taken = await taker.attempt('/bad');
    expect(taken).toEqual({
      timer_before: 'ok',
      signals: PENDING_SIGNALS - 1,
      one_more_signal: 'EAGAIN',
      timer_after: 'EAGAIN',
      pair: 'ok',
      send: 'ok',
      receive: 'ok',
      sendmsg: 'EPERM',
      sendmmsg: 'EPERM',
      lock: 'EPERM',
    });
    expect(await other.attempt('/bad')).toEqual(taken);
  });

  test('is not charged for threads of another process of the same user', async () => {
    const library = grounds.library('hostile/h52_bare_threads');
    for (let process = 0; process < 2; process += 1) {
      const plugin = await SandboxedRunner.start(library, [], { program: runner, user });
      expect(await plugin.attempt('/bad')).toMatchObject({ threads: 63 });
    }
  });

  test('can send messages only with a network permission, and lock files only with a file permission', async () => {
    expect(await (await start('h53_quotas', ['connect=443'])).attempt('/bad')).toMatchObject({
      sendmsg: 'ok',
      sendmmsg: 'ok',
      lock: 'EPERM',
    });
    const read = `read=${grounds.directory(`locks-${user}`)}`;
    expect(await (await start('h53_quotas', [read])).attempt('/bad')).toMatchObject({
      sendmsg: 'EPERM',
      lock: 'ok',
    });
  });

  test('keeps its user and group in its namespace, without capabilities', async () => {
    const { conversation, states } = await start('h19_socket');
    const status = readFileSync(`/proc/${conversation.pid}/status`, 'utf8');
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
      expect(status).toMatch(new RegExp(`^${set}:\t0+$`, 'm'));
    const uid = states.find((state) => state.startsWith('uid='))?.slice('uid='.length);
    expect(status).toMatch(new RegExp(`^Uid:\t${uid}\t${uid}\t${uid}\t${uid}$`, 'm'));
    expect(readFileSync(`/proc/${conversation.pid}/uid_map`, 'utf8').trim().split(/\s+/)).toEqual([
      uid,
      uid,
      '1',
    ]);
  });

  test('has its threads sampled by the server where there are no user namespaces', async () => {
    const conversation = new Conversation([String(UNSHARE), runner, '--parent', String(process.pid)], {
      program: compileProgram('without_call'),
      user,
    });
    conversation.send(hello(), sandbox([`library=${grounds.library('echo')}`]));
    await conversation.expect(ANSWER.HELLO);
    expect(strings(await conversation.expect(ANSWER.READY))).toEqual(
      expect.arrayContaining([
        'user_namespace=none: Function not implemented',
        'threads=sampled',
        `pending_signals=${PENDING_SIGNALS}`,
        'self_test=ok',
      ]),
    );
  });
});

/** User ids that only root can choose. */
const CHOSEN = process.getuid?.() === 0 ? ['1900000001', '1900000002'] : [];

test('root starts each plugin as its configured user', async () => {
  for (const user of CHOSEN) {
    const settings = [`user=${user}`, 'user_threads=1000'];
    const start = { program: runner };
    const plugin = await SandboxedRunner.start(grounds.library('hostile/h19_socket'), settings, start);
    expect(plugin.states).toEqual(expect.arrayContaining([`uid=${user}`, 'threads=64']));
    const status = readFileSync(`/proc/${plugin.conversation.pid}/status`, 'utf8');
    expect(status).toMatch(new RegExp(`^Uid:\t${user}\t${user}\t${user}\t${user}$`, 'm'));
    expect(status).toMatch(new RegExp(`^Gid:\t${user}\t${user}\t${user}\t${user}$`, 'm'));
    expect(status).toMatch(/^Groups:\t *$/m);
  }
});

test.each([
  ['user=0', 'user=0: a plugin cannot run as root'],
  ['user=4294967295', 'user=4294967295: too large'],
  ['threads=0', 'a limit of 0 needs mode=off'],
])('refuses the setting %s', async (setting, reason) => {
  const conversation = new Conversation(undefined, { program: runner });
  conversation.send(hello(), sandbox([`library=${grounds.library('echo')}`, setting]));
  await conversation.expect(ANSWER.HELLO);
  expect((await conversation.expect(ANSWER.FAILED)).payload.toString()).toBe(reason);
});
