import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import {
  ANSWER,
  call,
  Conversation,
  endConversations,
  FAILURE,
  frame,
  HOOK,
  SERVER,
} from './runner-conversation.js';

afterEach(endConversations);

const endpoint = (id: number, path: string, data = '{}'): Buffer =>
  call(id, 'process_endpoint', [path, 'GET', data]);

async function counts(runner: Conversation): Promise<unknown> {
  runner.send(call(1000, 'call', ['counts', '{}']));
  return JSON.parse((await runner.expect(ANSWER.REPLY)).payload.toString());
}

describe('answers', () => {
  test('each hook gets its arguments and returns its answer', async () => {
    const runner = await Conversation.ready(compilePlugin('echo'));
    runner.send(
      call(10, 'before_request', ['{}']),
      call(11, 'after_response', ['{}']),
      call(12, 'process_endpoint', ['/a', 'GET', '"ä"']),
    );
    expect(await runner.expect(ANSWER.REPLY)).toMatchObject({
      id: 10,
      payload: Buffer.from('{"context":{"echo":true}}'),
    });
    expect(await runner.expect(ANSWER.EMPTY)).toMatchObject({ id: 11, payload: Buffer.alloc(0) });
    expect(await runner.expect(ANSWER.REPLY)).toMatchObject({ id: 12, payload: Buffer.from('"ä"') });
  });

  test('several arguments arrive in order, empty ones included', async () => {
    const runner = await Conversation.ready(compilePlugin('answers'));
    runner.send(call(10, 'process_endpoint', ['/city', 'POST', 'data']));
    expect((await runner.next()).payload.toString()).toBe('/city|POST|data');
    runner.send(call(11, 'process_endpoint', ['', '', '']));
    expect((await runner.next()).payload.toString()).toBe('||');
  });

  test('NULL and "" are different answers', async () => {
    const runner = await Conversation.ready(compilePlugin('answers'));
    runner.send(endpoint(10, '/null'), endpoint(11, '/empty'));
    expect(await runner.next()).toMatchObject({ type: ANSWER.EMPTY, id: 10 });
    expect(await runner.next()).toMatchObject({ type: ANSWER.REPLY, id: 11, payload: Buffer.alloc(0) });
  });

  test('each states how long its function ran in nanoseconds, without the time it waited', async () => {
    const runner = await Conversation.ready(compilePlugin('answers'));
    runner.send(endpoint(10, '/sleep', '30'), endpoint(11, '/null'), endpoint(12, '/sleep', '30'));
    const [slow, quick, slowAgain] = [await runner.next(), await runner.next(), await runner.next()];
    expect(slow).toMatchObject({ type: ANSWER.REPLY, id: 10 });
    expect(quick).toMatchObject({ type: ANSWER.EMPTY, id: 11 });
    for (const { value } of [slow, slowAgain]) expect(value).toBeGreaterThanOrEqual(30e6);
    expect(quick.value).toBeGreaterThan(0);
    expect(quick.value).toBeLessThan(slow.value);
  });

  test('a run time beyond the frame’s range is cut to the maximum', async () => {
    const runner = await Conversation.ready(compilePlugin('answers'));
    runner.send(endpoint(10, '/sleep', '2200'));
    expect((await runner.next()).value).toBe(0x7fff_ffff);
  });

  test.each(Object.keys(HOOK) as (keyof typeof HOOK)[])('calling a missing %s is a failure', async (hook) => {
    const args = { before_request: 1, after_response: 1, process_endpoint: 3, call: 2 }[hook];
    const runner = await Conversation.ready(compilePlugin('null_slots'));
    runner.send(call(10, hook, Array<string>(args).fill('')));
    expect(await runner.next()).toMatchObject({
      type: ANSWER.FAILED,
      id: 10,
      detail: FAILURE.NOT_IMPLEMENTED,
    });
  });

  test('a reply at the limit is sent, and a reply one byte longer is refused', async () => {
    const runner = await Conversation.ready(compilePlugin('answers'), 1000);
    runner.send(endpoint(10, '/long', '1000'), endpoint(11, '/long', '1001'), endpoint(12, '/ok'));
    expect((await runner.expect(ANSWER.REPLY)).payload).toHaveLength(1000);
    const refused = await runner.expect(ANSWER.FAILED);
    expect(refused).toMatchObject({ id: 11, detail: FAILURE.REPLY_TOO_LARGE });
    expect(refused.payload.toString()).toContain('1000 bytes');
    expect((await runner.expect(ANSWER.REPLY)).id).toBe(12);
  });

  test('replies of every size around the buffer sizes arrive complete', async () => {
    const runner = await Conversation.ready(compilePlugin('answers'), 16 << 20);
    const sizes = [1, 65_519, 65_520, 65_521, 65_535, 65_536, 65_537, 131_072, 16 << 20, 7];
    runner.send(...sizes.map((size, index) => endpoint(index, '/long', String(size))));
    for (const [index, size] of sizes.entries()) {
      const { id, payload } = await runner.expect(ANSWER.REPLY);
      expect([id, payload.length]).toEqual([index, size]);
      expect(payload.equals(Buffer.alloc(size, 'x'))).toBe(true);
    }
  });

  test('the largest frame is accepted, and its memory freed', async () => {
    const runner = await Conversation.ready(compilePlugin('answers'), 16 << 20);
    const strings = ['/', 'GET', 'y'.repeat((16 << 20) - 2 - 4 - 1)];
    const before = virtualBytes(runner.pid);
    runner.send(call(10, 'process_endpoint', strings), endpoint(11, '/ok'));
    expect((await runner.expect(ANSWER.REPLY)).payload.toString('latin1')).toBe(strings.join('|'));
    expect((await runner.expect(ANSWER.REPLY)).payload.toString()).toBe('/ok|GET|{}');
    expect(await counts(runner)).toEqual({ returned: 2, freed: 2 });
    if (process.env['BACKWORKS_RUNNER'] === undefined) {
      expect(virtualBytes(runner.pid) - before).toBeLessThan(2 << 20);
    }
  });
});

describe('free_string', () => {
  test('receives every string once, also one too long to send, and never NULL', async () => {
    const runner = await Conversation.ready(compilePlugin('answers'), 40);
    const paths = ['/null', '/empty', '/long', '/a', '/null', '/b'];
    runner.send(...paths.map((path, index) => endpoint(index, path, '41')));
    const types: number[] = [];
    while (types.length < paths.length) types.push((await runner.next()).type);
    const { EMPTY, REPLY, FAILED } = ANSWER;
    expect(types).toEqual([EMPTY, REPLY, FAILED, REPLY, EMPTY, REPLY]);
    expect(await counts(runner)).toEqual({ returned: 4, freed: 4 });
  });

  test('receives as many strings as a thousand calls returned', async () => {
    const runner = await Conversation.ready(compilePlugin('answers'));
    const ids = Array.from({ length: 1000 }, (_, id) => id);
    runner.send(...ids.map((id) => endpoint(id, id % 3 === 0 ? '/null' : '/text')));
    for (const id of ids) expect((await runner.next()).id).toBe(id);
    expect(await counts(runner)).toEqual({ returned: 666, freed: 666 });
    expect(await counts(runner)).toEqual({ returned: 667, freed: 667 });
  });
});

describe('batches', () => {
  test('a thousand calls in one write are answered in order', async () => {
    const runner = await Conversation.ready(compilePlugin('echo'));
    const ids = Array.from({ length: 1000 }, (_, index) => index + 10);
    runner.send(...ids.map((id) => endpoint(id, '/', `{"id":${id},"pad":"${'p'.repeat(id)}"}`)));
    for (const id of ids) {
      const answer = await runner.expect(ANSWER.REPLY);
      expect(answer.id).toBe(id);
      expect(JSON.parse(answer.payload.toString())).toMatchObject({ id });
    }
    expect(runner.remaining()).toEqual([]);
  });

  test('an answer is sent before a slow call behind it runs', async () => {
    const runner = await Conversation.ready(compilePlugin('answers'));
    runner.send(endpoint(10, '/sleep', '5'), endpoint(11, '/sleep', '3600000'));
    expect(await runner.expect(ANSWER.REPLY)).toMatchObject({ id: 10 });
  });
});

describe('a fault in a call', () => {
  test.each<[string, { code: number | null; signal: string | null }]>([
    ['crash_segv', { code: null, signal: 'SIGSEGV' }],
    ['abort_call', { code: null, signal: 'SIGABRT' }],
    ['exit_zero', { code: 0, signal: null }],
  ])('by %s ends the runner process', async (name, end) => {
    const runner = await Conversation.ready(compilePlugin(name));
    runner.send(endpoint(10, '/ok'));
    expect((await runner.expect(ANSWER.REPLY)).payload.toString()).toBe('{"ok":true}');
    runner.send(endpoint(11, '/'));
    const { code, signal } = await runner.ended;
    // A sanitizer reports the crash and exits, so no signal ends the process.
    if (process.env['BACKWORKS_RUNNER'] === undefined) expect({ code, signal }).toEqual(end);
    expect(runner.remaining()).toEqual([]);
  });

  test('answers that are not JSON are passed on unchanged', async () => {
    const runner = await Conversation.ready(compilePlugin('bad_json'));
    runner.send(endpoint(10, '/'));
    expect((await runner.expect(ANSWER.REPLY)).payload.toString()).toBe('{"status":200,"body":');
  });
});

describe('statuses', () => {
  test('health_check and reconfigure answer with a status and an error message', async () => {
    const runner = await Conversation.ready(compilePlugin('lifecycle'));
    runner.send(
      frame(SERVER.HEALTH_CHECK, 10, 0, 0),
      frame(SERVER.RECONFIGURE, 11, 0, 0, ['{}']),
      frame(SERVER.RECONFIGURE, 12, 0, 0, ['[]']),
    );
    const answers = [await runner.next(), await runner.next(), await runner.next()];
    expect(answers.map(({ type, id, value, payload }) => [type, id, value, payload.toString()])).toEqual([
      [ANSWER.STATUS, 10, 1, 'warming up'],
      [ANSWER.STATUS, 11, 0, ''],
      [ANSWER.STATUS, 12, -5, 'only an empty object will do'],
    ]);
  });

  test('a plugin without these functions is healthy and cannot be reconfigured', async () => {
    const runner = await Conversation.ready(compilePlugin('null_slots'));
    runner.send(frame(SERVER.HEALTH_CHECK, 10, 0, 0), frame(SERVER.RECONFIGURE, 11, 0, 0, ['{}']));
    expect(await runner.next()).toMatchObject({ type: ANSWER.STATUS, id: 10, value: 0 });
    expect(await runner.next()).toMatchObject({
      type: ANSWER.FAILED,
      id: 11,
      detail: FAILURE.NOT_IMPLEMENTED,
    });
  });
});

function virtualBytes(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[0]);
  return pages * 4096;
}
