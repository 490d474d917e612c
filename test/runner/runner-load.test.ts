import { afterEach, describe, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import {
  ANSWER,
  call,
  Conversation,
  endConversations,
  FAILURE,
  hello,
  initialize,
  load,
  shutdown,
} from './runner-conversation.js';

afterEach(endConversations);

const FUNCTION = { before_request: 1 << 3, manifest: 1 << 8, free_string: 1 << 9, call: 1 << 12 } as const;
const THREAD_SAFE = 1 << 16;

async function refusal(path: string): Promise<{ detail: number; text: string; code: number | null }> {
  const runner = new Conversation();
  runner.send(hello(), load(path), initialize());
  await runner.expect(ANSWER.HELLO);
  const { detail, payload, id } = await runner.expect(ANSWER.FAILED);
  expect(id).toBe(1);
  const { code } = await runner.ended;
  expect(runner.remaining()).toEqual([]);
  return { detail, text: payload.toString(), code };
}

describe('a library that loads', () => {
  async function loaded(name: string): Promise<{ value: number; strings: string[] }> {
    const runner = new Conversation();
    runner.send(hello(), load(compilePlugin(name)));
    await runner.expect(ANSWER.HELLO);
    const { id, value, payload } = await runner.expect(ANSWER.LOADED);
    expect(id).toBe(1);
    return { value, strings: payload.toString().split('\0') };
  }

  test('is named by LOADED, with its functions', async () => {
    expect(await loaded('echo')).toEqual({
      value: 0b111000,
      strings: ['echo', '1.0.0', 'Returns what it is given.', '', ''],
    });
    expect((await loaded('answers')).value).toBe(
      (1 << 5) | FUNCTION.free_string | FUNCTION.call | THREAD_SAFE,
    );
  });

  test('NULL strings read as empty, NULL slots as absent', async () => {
    expect(await loaded('null_slots')).toEqual({ value: 0, strings: ['null-slots', '1.0.0', '', '', ''] });
  });

  test('may have an extension table from an older header, which is read only up to its size', async () => {
    const { value, strings } = await loaded('short_extensions');
    expect(value).toBe(FUNCTION.manifest | FUNCTION.before_request);
    expect(strings[3]).toBe('{"priority":7}');
    const runner = await Conversation.ready(compilePlugin('short_extensions'));
    runner.send(call(10, 'before_request', ['{}']));
    expect((await runner.expect(ANSWER.REPLY)).payload.toString()).toBe('{}');
  });

  test('may have an extension table from a later header, which is read as far as this runner knows it', async () => {
    expect((await loaded('long_extensions')).value).toBe(FUNCTION.call);
  });
});

describe('a library that does not load', () => {
  test('because the file is missing fails with the system’s reason', async () => {
    const { detail, text, code } = await refusal('/nonexistent/plugin.so');
    expect([detail, code]).toEqual([FAILURE.LOAD, 75]);
    expect(text).toContain('/nonexistent/plugin.so');
  });

  test('because it is not a library fails', async () => {
    const { detail, text, code } = await refusal('/etc/passwd');
    expect([detail, code]).toEqual([FAILURE.LOAD, 75]);
    expect(text).toContain('/etc/passwd');
  });

  test.each([
    ['missing_vtable', 'plugin_vtable()'],
    ['missing_info', 'plugin_info()'],
  ])('because %s lacks a function names the function', async (name, symbol) => {
    const { detail, text, code } = await refusal(compilePlugin(name));
    expect([detail, code]).toEqual([FAILURE.LOAD, 75]);
    expect(text).toContain(`exports no ${symbol}`);
  });

  test('because it needs a newer ABI names both versions', async () => {
    const { detail, text, code } = await refusal(compilePlugin('newer_abi'));
    expect([detail, code]).toEqual([FAILURE.ABI, 75]);
    expect(text).toBe('it needs plugin ABI 2, this host has 1');
  });

  test('because bind_host() refuses has the plugin’s reason', async () => {
    const { detail, text, code } = await refusal(compilePlugin('refuses_host'));
    expect([detail, code]).toEqual([FAILURE.ABI, 75]);
    expect(text).toBe('bind_host() returned 3: this host has no clock tower');
  });

  test('because its constructor crashes ends the runner before any answer to LOAD', async () => {
    const runner = new Conversation();
    runner.send(hello(), load(compilePlugin('crash_constructor')));
    const { code, signal } = await runner.ended;
    expect(code).not.toBe(0);
    if (process.env['BACKWORKS_RUNNER'] === undefined) expect(signal).toBe('SIGSEGV');
    expect(runner.remaining().map(({ type }) => type)).toEqual([ANSWER.HELLO]);
  });

  test('because initialize() refuses has the plugin’s reason, and shutdown() is not called', async () => {
    const runner = new Conversation();
    runner.send(hello(), load(compilePlugin('initialize_fails')), initialize(), shutdown());
    await runner.expect(ANSWER.HELLO);
    await runner.expect(ANSWER.LOADED);
    const refused = await runner.expect(ANSWER.STATUS);
    expect([refused.value, refused.payload.toString()]).toEqual([7, 'no licence for today']);
    expect((await runner.expect(ANSWER.STATUS)).value).toBe(0);
    expect(await runner.ended).toEqual({ code: 0, signal: null });
  });
});
