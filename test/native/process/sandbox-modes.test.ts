import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { compileProgram } from '../../fixtures/compile.js';
import {
  ANSWER,
  Conversation,
  endConversations,
  FAILURE,
  type Frame,
  hello,
  load,
  sandbox,
  shutdown,
  type Start,
} from '../../runner/runner-conversation.js';
import { Grounds, SandboxedRunner, strings } from '../../runner/sandbox/sandboxed-runner.js';

const grounds = new Grounds();
const runner = grounds.runner();
const library = grounds.library('echo');
afterEach(endConversations);
afterAll(() => grounds.remove());

const LANDLOCK_CREATE_RULESET = 444;
const PRLIMIT64 = process.arch === 'x64' ? 302 : 261;
const SECCOMP = process.arch === 'x64' ? 317 : 277;
const own = ['--parent', String(process.pid)];

async function answer(settings: readonly string[], args = own, start: Start = {}): Promise<Frame> {
  const conversation = new Conversation(args, { program: runner, ...start });
  conversation.send(hello(), sandbox(settings));
  await conversation.expect(ANSWER.HELLO);
  const frame = await conversation.next();
  if (frame.type === ANSWER.FAILED) expect(await conversation.ended).toEqual({ code: 78, signal: null });
  return frame;
}

/** The same on another kernel, simulated by a program that starts the runner. */
function answerOn(kernel: string, argument: number, settings: readonly string[]): Promise<Frame> {
  return answer(settings, [String(argument), runner, ...own], { program: compileProgram(kernel) });
}

const answerWithout = (call: number, settings: readonly string[]): Promise<Frame> =>
  answerOn('without_call', call, settings);

describe('strict', () => {
  test.each([
    [LANDLOCK_CREATE_RULESET, 'Landlock is not available: Function not implemented'],
    [SECCOMP, 'seccomp is not available: Function not implemented'],
    [PRLIMIT64, 'the limit threads cannot be set: Function not implemented'],
  ])('refuses a kernel without system call %d, naming what is missing', async (call, reason) => {
    const frame = await answerWithout(call, [`library=${library}`]);
    expect(frame).toMatchObject({ type: ANSWER.FAILED, id: 5, detail: FAILURE.SANDBOX });
    expect(frame.payload.toString()).toBe(reason);
  });

  test.each([
    ['connect=443', 'network.connect needs Landlock ABI 4, this kernel has 3'],
    ['listen=9000', 'network.listen needs Landlock ABI 4, this kernel has 3'],
  ])('refuses %s on a kernel without Landlock rules for ports', async (setting, reason) => {
    const { type, payload } = await answerOn('old_landlock', 3, [`library=${library}`, setting]);
    expect([type, payload.toString()]).toEqual([ANSWER.FAILED, expect.stringContaining(reason)]);
  });

  test.each([1, 2, 3, 4, 5, 6])('closes files with Landlock ABI %d', async (abi) => {
    const frame = await answerOn('old_landlock', abi, [`library=${library}`, `write=${grounds.path}`]);
    expect([frame.type, frame.payload.toString()]).toEqual([
      ANSWER.FAILED,
      expect.stringMatching(/^filesystem.write .* Permission denied$/),
    ]);
    const ready = strings(
      await answerOn('old_landlock', abi, [`library=${library}`, `read=${grounds.path}`]),
    );
    expect(ready).toEqual(expect.arrayContaining([`landlock=${abi}`, 'self_test=ok']));
  });

  test('refuses a grant that cannot be used', async () => {
    const missing = join(grounds.path, 'missing');
    const { payload } = await answer([`library=${library}`, `read=${missing}`]);
    expect(payload.toString()).toMatch(
      new RegExp(`^filesystem.read ${missing} cannot be granted to user \\d+: No such file or directory$`),
    );
  });

  test('refuses a library its user may not read', async () => {
    const hidden = grounds.library('abort_call');
    chmodSync(hidden, 0o000);
    const { payload } = await answer([`library=${hidden}`]);
    expect(payload.toString()).toMatch(/^the library .* cannot be granted to user \d+: Permission denied$/);
  });

  test('refuses settings it does not know', async () => {
    const { detail, payload } = await answer([`library=${library}`, 'colour=blue']);
    expect([detail, payload.toString()]).toEqual([FAILURE.SANDBOX, 'colour=blue: unknown setting']);
  });

  test('requires the path of the library', async () => {
    expect((await answer(['memory=1048576'])).payload.toString()).toBe('library is missing');
  });
});

describe('best-effort', () => {
  test('continues without Landlock and reports what is missing', async () => {
    const frame = await answerWithout(LANDLOCK_CREATE_RULESET, [`library=${library}`, 'mode=best-effort']);
    expect(frame.type).toBe(ANSWER.READY);
    const states = strings(frame);
    expect(states).toEqual(
      expect.arrayContaining([
        'mode=best-effort',
        'seccomp=1',
        'missing=Landlock is not available: Function not implemented',
        'missing=the self-test could list /',
      ]),
    );
    expect(states.filter((state) => state.startsWith('landlock='))).toEqual([]);
    expect(states).not.toContain('self_test=ok');
  });

  test('leaves every port open where the kernel has no rules for ports, and reports that', async () => {
    const settings = [`library=${library}`, 'mode=best-effort', 'connect=443'];
    const states = strings(await answerOn('old_landlock', 2, settings));
    expect(states).toEqual(
      expect.arrayContaining([
        'landlock=2',
        'missing=network.connect needs Landlock ABI 4, this kernel has 2: every port is open',
        'self_test=ok',
      ]),
    );
  });

  test('continues without seccomp and reports what the self-test could do', async () => {
    const states = strings(await answerWithout(SECCOMP, [`library=${library}`, 'mode=best-effort']));
    expect(states).toEqual(
      expect.arrayContaining([
        'missing=seccomp is not available: Function not implemented',
        'missing=the self-test could open a Unix socket',
        'missing=the self-test could fork',
      ]),
    );
  });
});

describe('limits', () => {
  /** The limits that the server's hard limits allow; sh takes descriptors and units of 512 bytes. */
  const answerUnder = (limits: string, settings: readonly string[]): Promise<Frame> =>
    answer([`library=${library}`, ...settings], ['-c', `${limits}; exec "$0" "$@"`, runner, ...own], {
      program: '/bin/sh',
    });

  test('have the values that the kernel reports; a lower hard limit stays and is reported', async () => {
    const frame = await answerUnder('ulimit -n 40; ulimit -f 16', ['open_files=64', 'file_size=1048576']);
    expect(frame.type).toBe(ANSWER.READY);
    expect(strings(frame)).toEqual(
      expect.arrayContaining([
        'open_files=40 (not 64: the hard limit of the server is lower)',
        'file_size=8192 (not 1048576: the hard limit of the server is lower)',
        'memory=268435456',
        'rlimits=1',
      ]),
    );
  });

  test('of the server do not matter when they are higher', async () => {
    const frame = await answerUnder('ulimit -n 80', ['open_files=64']);
    expect(strings(frame)).toContain('open_files=64');
  });

  test('that cannot be set are each reported as missing under best-effort', async () => {
    const frame = await answerWithout(PRLIMIT64, [`library=${library}`, 'mode=best-effort']);
    expect(frame.type).toBe(ANSWER.READY);
    const states = strings(frame);
    for (const limit of ['memory', 'open_files', 'file_size', 'core'])
      expect(states).toContain(`missing=the limit ${limit} cannot be set: Function not implemented`);
    expect(states.filter((state) => /^(?:memory|open_files|rlimits)=/.test(state))).toEqual([]);
  });
});

describe('off', () => {
  test('applies limits only', async () => {
    const states = strings(await answer(['mode=off', 'memory=104857600', 'open_files=0']));
    expect(states).toEqual(expect.arrayContaining(['mode=off', 'memory=104857600', 'core=0']));
    expect(states.filter((state) => /^(?:uid|landlock|seccomp|open_files)=/.test(state))).toEqual([]);
  });

  test('does not restrict the plugin', async () => {
    const plugin = await SandboxedRunner.start(grounds.library('hostile/h35_constructor'), ['mode=off']);
    expect(await plugin.attempt('/bad')).toEqual({ constructor: 'ok' });
  });
});

describe('SANDBOX', () => {
  test('is allowed once, between HELLO and LOAD', async () => {
    const settings = [`library=${library}`];
    for (const frames of [
      [sandbox(settings)],
      [hello(), sandbox(settings), sandbox(settings)],
      [hello(), load(library), sandbox(settings)],
    ]) {
      const conversation = new Conversation(own, { program: runner });
      conversation.send(...frames);
      expect(await conversation.ended).toEqual({ code: 76, signal: null });
    }
  });

  test('may be followed by SHUTDOWN', async () => {
    const conversation = new Conversation(own, { program: runner });
    conversation.send(hello(), sandbox([`library=${library}`]), shutdown());
    expect(await conversation.ended).toEqual({ code: 0, signal: null });
  });
});

describe('--describe with settings', () => {
  const describeLibrary = (path: string, settings: readonly string[]) =>
    spawnSync(runner, ['--describe', path, ...settings], { encoding: 'utf8', env: {} });

  test('describes a library inside the sandbox', () => {
    const { status, stdout } = describeLibrary(library, [`library=${library}`]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ name: 'echo' });
  });

  test('says why there is no sandbox', () => {
    const { status, stdout } = describeLibrary(library, [`library=${library}`, 'read=/no/such/place']);
    expect(status).toBe(78);
    expect((JSON.parse(stdout) as { error: string }).error).toContain('No such file or directory');
  });
});
