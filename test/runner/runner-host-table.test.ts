import { afterEach, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { ANSWER, call, Conversation, endConversations, type Frame } from './runner-conversation.js';

afterEach(endConversations);

const start = (): Promise<Conversation> => Conversation.ready(compilePlugin('host_user'));
const operation = (id: number, name: string, payload = '', leftMs = -1): Buffer =>
  call(id, 'call', [name, payload], leftMs);

async function reply(runner: Conversation): Promise<unknown> {
  return JSON.parse((await runner.expect(ANSWER.REPLY)).payload.toString());
}

const metric = ({ type, id, payload }: Frame): unknown => ({
  type,
  id,
  delta: payload.readDoubleLE(0),
  name: payload.subarray(8).toString(),
});

test('the table states its size and version, and omits functions it does not offer', async () => {
  const runner = await start();
  runner.send(operation(10, 'offer'));
  expect(await reply(runner)).toEqual({
    size: 1,
    abi_version: 1,
    log: 1,
    metric: 1,
    kv_get: 0,
    kv_set: 0,
    http_fetch: 0,
    call: 0,
  });
});

test('log lines carry their level; unknown levels become info', async () => {
  const runner = await start();
  for (const [level, expected] of [
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 1],
    [-1, 1],
  ] as const) {
    runner.send(operation(10, `log:${level}`, `line ${level}`));
    const { id, detail, payload } = await runner.expect(ANSWER.LOG);
    expect([id, detail, payload.toString()]).toEqual([0, expected, `line ${level}`]);
    await runner.expect(ANSWER.EMPTY);
  }
  runner.send(operation(11, 'log-null'));
  await runner.expect(ANSWER.EMPTY);
});

test('log lines are cut at 8 KiB, between characters', async () => {
  const runner = await start();
  const cases: [string, string][] = [
    ['x'.repeat(8192), 'x'.repeat(8192)],
    ['x'.repeat(8193), 'x'.repeat(8192)],
    [`x${'ä'.repeat(5000)}`, `x${'ä'.repeat(4095)}`],
    [`xx${'🐻'.repeat(3000)}`, `xx${'🐻'.repeat(2047)}`],
  ];
  for (const [text, expected] of cases) {
    runner.send(operation(10, 'log:1', text));
    expect((await runner.expect(ANSWER.LOG)).payload.toString()).toBe(expected);
    await runner.expect(ANSWER.EMPTY);
  }
});

test('a line logged just before a crash arrives, as do the answers before it', async () => {
  const runner = await start();
  runner.send(operation(10, 'unknown'), operation(11, 'log-and-crash', 'last words'));
  await runner.ended;
  expect(runner.remaining().map(({ type, payload }) => [type, payload.toString()])).toEqual([
    [ANSWER.EMPTY, ''],
    [ANSWER.LOG, 'last words'],
  ]);
});

test('threads may log at the same time, and every frame stays intact', async () => {
  const runner = await start();
  runner.send(operation(10, 'threads'));
  const lines = new Map<string, number>();
  for (let line = 0; line < 8000; line += 1) {
    const text = (await runner.expect(ANSWER.LOG)).payload.toString();
    lines.set(text, (lines.get(text) ?? 0) + 1);
  }
  const expected = ['a', 'bbb', 'ccccccc', 'ddddddddddddddd'].map((text) => [text, 2000]);
  expect([...lines].sort()).toEqual(expected);
  expect((await runner.expect(ANSWER.EMPTY)).id).toBe(10);
});

test('metrics arrive, except with invalid amounts or names', async () => {
  const runner = await start();
  runner.send(operation(10, 'count'));
  expect(metric(await runner.next())).toEqual({ type: ANSWER.METRIC, id: 0, delta: 2.5, name: 'tiles' });
  expect(metric(await runner.next())).toMatchObject({ delta: 1, name: 'n'.repeat(64) });
  expect((await runner.next()).type).toBe(ANSWER.EMPTY);
});

test('a metric of a thread arrives while no call runs', async () => {
  const runner = await start();
  runner.send(operation(10, 'count-later'));
  await runner.expect(ANSWER.EMPTY);
  expect(metric(await runner.next())).toMatchObject({ delta: 1, name: 'later' });
});

test('deadline_left_ms() returns the time of the running call', async () => {
  const runner = await start();
  runner.send(operation(10, 'time', '', 3_600_000));
  const { left, cancelled } = (await reply(runner)) as { left: number; cancelled: number };
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThanOrEqual(3_600_000);
  expect(cancelled).toBe(0);

  runner.send(operation(11, 'time'));
  expect(await reply(runner)).toEqual({ left: -1, cancelled: 0 });
});

test('a call is cancelled past its deadline, which includes time spent waiting for other calls', async () => {
  const runner = await start();
  runner.send(operation(10, 'time-after', '20', 10), operation(11, 'time', '', 10));
  expect(await reply(runner)).toEqual({ left: 0, cancelled: 1 });
  expect(await reply(runner)).toEqual({ left: 0, cancelled: 1 });
  runner.send(operation(12, 'time', '', 0));
  expect(await reply(runner)).toEqual({ left: 0, cancelled: 1 });
});
