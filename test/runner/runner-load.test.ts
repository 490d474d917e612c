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

  test('LOADED names it and lists its functions', async () => {
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

  test('an extension table from an older header is read no further than its size', async () => {
    const { value, strings } = await loaded('short_extensions');
    expect(value).toBe(FUNCTION.manifest | FUNCTION.before_request);
    expect(strings[3]).toBe('{"priority":7}');
    const runner = await Conversation.ready(compilePlugin('short_extensions'));
    runner.send(call(10, 'before_request', ['{}']));
    expect((await runner.expect(ANSWER.REPLY)).payload.toString()).toBe('{}');
  });

  test('an extension table from a later header is read as far as it is known', async () => {
    expect((await loaded('long_extensions')).value).toBe(FUNCTION.call);
  });
});

describe('a library that does not', () => {
  test('a missing file: the words of the system', async () => {
    const { detail, text, code } = await refusal('/nonexistent/plugin.so');
    expect([detail, code]).toEqual([FAILURE.LOAD, 75]);
    expect(text).toContain('/nonexistent/plugin.so');
  });

  test('a file that is no library', async () => {
    const { detail, text, code } = await refusal('/etc/passwd');
    expect([detail, code]).toEqual([FAILURE.LOAD, 75]);
    expect(text).toContain('/etc/passwd');
  });

  test.each([
    ['missing_vtable', 'plugin_vtable()'],
    ['missing_info', 'plugin_info()'],
  ])('%s is told what is missing', async (name, symbol) => {
    const { detail, text, code } = await refusal(compilePlugin(name));
    expect([detail, code]).toEqual([FAILURE.LOAD, 75]);
    expect(text).toContain(`exports no ${symbol}`);
  });

  test('a newer ABI is refused by number', async () => {
    const { detail, text, code } = await refusal(compilePlugin('newer_abi'));
    expect([detail, code]).toEqual([FAILURE.ABI, 75]);
    expect(text).toBe('it needs plugin ABI 2, this host has 1');
  });

  test('a refusing bind_host is quoted', async () => {
    const { detail, text, code } = await refusal(compilePlugin('refuses_host'));
    expect([detail, code]).toEqual([FAILURE.ABI, 75]);
    expect(text).toBe('bind_host() returned 3: this host has no clock tower');
  });

  test('a constructor that crashes ends the runner before any answer to LOAD', async () => {
    const runner = new Conversation();
    runner.send(hello(), load(compilePlugin('crash_constructor')));
    const { code, signal } = await runner.ended;
    expect(code).not.toBe(0);
    if (process.env['BACKWORKS_RUNNER'] === undefined) expect(signal).toBe('SIGSEGV');
    expect(runner.remaining().map(({ type }) => type)).toEqual([ANSWER.HELLO]);
  });

  test('an initialize that refuses is quoted, and shutdown() is not called', async () => {
    const runner = new Conversation();
    runner.send(hello(), load(compilePlugin('initialize_fails')), initialize(), shutdown());
    await runner.expect(ANSWER.HELLO);
    await runner.expect(ANSWER.LOADED);
    const refused = await runner.expect(ANSWER.STATUS);
    expect([refused.value, refused.payload.toString()]).toEqual([7, 'no licence for this day']);
    expect((await runner.expect(ANSWER.STATUS)).value).toBe(0);
    expect(await runner.ended).toEqual({ code: 0, signal: null });
  });
});
