import { describe, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { startServer, type TestServer } from '../fixtures/server.js';

const library = compilePlugin('kv_user');

const plugin = (more = ''): string =>
  `{ path: ${library}, timeouts: { call: 20s, initialize: 20s }, circuit_breaker: { failures: 1000 }${more} }`;

const yaml = (more = ''): string => `
endpoints:
  one: { path: /one, plugin: one }
  two: { path: /two, plugin: two }
plugins: { one: ${plugin(more)}, two: ${plugin()} }
`;

/** Gives a plugin an order; see kv_user.c. */
async function ask(server: TestServer, order: string, path = '/one'): Promise<unknown> {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    body: order,
  });
  return response.ok ? response.json() : response.status;
}

const value = (text: string): object => ({ length: text.length, value: text });
const STORED = { status: 0 };
const FULL = { status: 1 };
const INVALID = { status: 2 };

const warnings = (server: TestServer): string[] =>
  server.log
    .filter(({ level, message }) => level === 'warn' && /key-value/.test(message))
    .map(({ message }) => message);

describe.each(['process', 'in-process'])('isolation: %s', (isolation) => {
  const more = isolation === 'process' ? '' : ', isolation: in-process, trusted: true';

  test('a plugin stores, reads, replaces and removes values', async () => {
    const server = await startServer(yaml(more));
    expect(await ask(server, 'get a')).toEqual({ value: null });
    expect(await ask(server, 'set a 0 first')).toEqual(STORED);
    expect(await ask(server, 'get a')).toEqual(value('first'));
    expect(await ask(server, 'set a 0 second value')).toEqual(STORED);
    expect(await ask(server, 'get a')).toEqual(value('second value'));
    // The value that kv_get() returned is an argument of kv_set().
    expect(await ask(server, 'copy a b')).toEqual(STORED);
    expect(await ask(server, 'remove a')).toEqual(STORED);
    expect(await ask(server, 'get a')).toEqual({ value: null });
    expect(await ask(server, 'remove a')).toEqual(STORED);
    expect(await ask(server, 'get b')).toEqual(value('second value'));
  });

  test('each plugin has its own space', async () => {
    const server = await startServer(yaml(more));
    await ask(server, 'set a 0 of one');
    expect(await ask(server, 'get a', '/two')).toEqual({ value: null });
  });

  test('a value with a time limit disappears after that time', async () => {
    const server = await startServer(yaml(more));
    await ask(server, 'set short 1 gone soon');
    await ask(server, 'set long 3600 here');
    let left: unknown;
    do left = await ask(server, 'get short');
    while ((left as { value: string | null }).value !== null);
    expect(await ask(server, 'get long')).toEqual(value('here'));
  });

  test('keys and values have a greatest length', async () => {
    const server = await startServer(yaml(`${more}, limits: { kv: 64MiB }`));
    const longest = 'k'.repeat(1024);
    expect(await ask(server, `set ${longest} 0 v`)).toEqual(STORED);
    expect(await ask(server, `get ${longest}`)).toEqual(value('v'));
    expect(await ask(server, `set ${longest}k 0 v`)).toEqual(INVALID);
    expect(await ask(server, `get ${longest}k`)).toEqual({ value: null });
    expect(await ask(server, `fill big ${1024 * 1024}`)).toEqual(STORED);
    expect(await ask(server, 'get big')).toMatchObject({ length: 1024 * 1024 });
    // The value that was stored before stays.
    expect(await ask(server, `fill big ${1024 * 1024 + 1}`)).toEqual(INVALID);
    expect(await ask(server, 'get big')).toMatchObject({ length: 1024 * 1024 });
    expect(warnings(server)).toEqual([]);
  });

  test('a full space refuses writes, is reported once, and takes values again when there is room', async () => {
    const server = await startServer(yaml(`${more}, limits: { kv: 100KiB }`));
    expect(await ask(server, 'fill one 60000')).toEqual(STORED);
    expect(await ask(server, 'fill two 60000')).toEqual(FULL);
    expect(await ask(server, 'fill two 60000')).toEqual(FULL);
    expect(warnings(server)).toEqual([
      expect.stringMatching(/^the key-value space of plugin one is full \(2 keys, \d+ of 102400 bytes\)/),
    ]);
    // Replacing a value needs room for the difference only.
    expect(await ask(server, 'fill one 90000')).toEqual(STORED);
    expect(await ask(server, 'remove one')).toEqual(STORED);
    expect(await ask(server, 'fill two 60000')).toEqual(STORED);
  });
});

test('a space has a greatest number of keys', async () => {
  const server = await startServer(yaml());
  // One of the 10,000 keys is that of initialize().
  expect(await ask(server, 'many 9999')).toEqual({ status: 9999 });
  expect(await ask(server, 'set last 0 v')).toEqual(FULL);
  expect(await ask(server, 'set key-0 0 v')).toEqual(STORED);
});

test('bytes that are not UTF-8 are refused', async () => {
  const server = await startServer(yaml());
  expect(await ask(server, 'bytes a')).toEqual(INVALID);
});

test('threads of a plugin can use its space while a hook runs', async () => {
  const server = await startServer(yaml());
  expect(await ask(server, 'thread a')).toEqual(value('from a thread'));
});

test('a space with limits.kv: 0 stores nothing', async () => {
  await expect(
    startServer(`plugins: { one: ${plugin(', critical: true, limits: { kv: 0 }')} }`),
  ).rejects.toThrow('initialize() returned 2');
});

test('the space outlives crashes, and all processes of a plugin share it', async () => {
  const server = await startServer(yaml(', instances: 2'));
  await ask(server, 'set a 0 kept');
  expect(await ask(server, 'crash')).toBe(503);
  const calls = await Promise.all(Array.from({ length: 20 }, () => ask(server, 'get a')));
  expect(calls).toEqual(calls.map(() => value('kept')));
});

test('the space outlives restarts, reloads and stops, and is gone when the plugin leaves the configuration', async () => {
  const server = await startServer(yaml());
  await ask(server, 'set a 0 kept');
  await server.backworks.restartPlugin('one');
  expect(await ask(server, 'get a')).toEqual(value('kept'));
  // initialize() of the second process has read what the first one wrote.
  expect(await ask(server, 'get starts')).toEqual(value('2'));
  await server.change(yaml(', config: { new: true }'));
  expect(await ask(server, 'get a')).toEqual(value('kept'));
  await server.change(yaml(', enabled: false'));
  await server.change(yaml());
  expect(await ask(server, 'get a')).toEqual(value('kept'));
  await server.change(`endpoints: { two: { path: /two, plugin: two } }\nplugins: { two: ${plugin()} }`);
  await server.change(yaml());
  expect(await ask(server, 'get a')).toEqual({ value: null });
});

test('a new limit applies to a running plugin', async () => {
  const server = await startServer(yaml(', limits: { kv: 100KiB }'));
  const serving = (): number | undefined =>
    server.plugin('one').processes.find(({ state }) => state === 'ready')?.pid;
  const before = serving();
  expect(await ask(server, 'fill a 200000')).toEqual(FULL);
  await server.change(yaml(', limits: { kv: 1MiB }'));
  expect(await ask(server, 'fill a 200000')).toEqual(STORED);
  expect(serving()).toBe(before);
});

test('the metrics show how much each plugin keeps', async () => {
  const server = await startServer(yaml());
  await ask(server, 'set a 0 v');
  const text = await (
    await fetch(`${server.adminUrl}/metrics`, { headers: { authorization: `Bearer ${server.adminToken}` } })
  ).text();
  expect(text).toContain('backworks_plugin_kv_keys{plugin="one"} 2');
  expect(text).toContain('backworks_plugin_kv_keys{plugin="two"} 1');
  // Each key counts 64 bytes more than its texts: "a", "v", "starts" and "1".
  expect(text).toContain('backworks_plugin_kv_bytes{plugin="one"} 137');
});
