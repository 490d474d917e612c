import { afterAll, describe, expect, test } from '@jest/globals';
import { AssertionError } from 'node:assert';
import { BackworksError, ConfigError, type JsonObject, PluginFailure } from '../../dist/index.js';
import {
  expectChanged,
  expectFailure,
  expectResponse,
  expectUnchanged,
  requestDocument,
  responseDocument,
  type StartOptions,
  startPlugin,
  type TestPlugin,
} from '../../dist/testing/index.js';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';

ownCache();
const running = new Set<TestPlugin>();
afterAll(async () => {
  await Promise.all([...running].map((plugin) => plugin.close()));
});

async function start(fixture: string, options: Partial<StartOptions> = {}): Promise<TestPlugin> {
  const plugin = await startPlugin({ library: compilePlugin(fixture), ...options });
  running.add(plugin);
  return plugin;
}

describe('documents', () => {
  test('are what a server would send', () => {
    const document = requestDocument({
      url: '/items/S%C3%A3o?tag=a&tag=b&q=red+shoes',
      route: '/items/{id}',
      headers: { Accept: 'text/html', 'X-Two': ['1', '2'] },
      body: { count: 2 },
      context: { user: 'ada' },
    });
    expect(document).toEqual({
      id: 'test',
      method: 'POST',
      path: '/items/S%C3%A3o',
      route: '/items/{id}',
      params: { id: 'São' },
      query: { tag: ['a', 'b'], q: 'red shoes' },
      headers: { 'content-type': 'application/json', accept: 'text/html', 'x-two': '1, 2' },
      remote: { address: '127.0.0.1', port: 50000 },
      context: { user: 'ada' },
      body_encoding: 'json',
      body: { count: 2 },
    });
  });

  test.each([
    ['a text', 'text', 'a text'],
    [Buffer.from([0, 255]), 'base64', 'AP8='],
    [['a'], 'json', ['a']],
    [null, 'text', null],
  ] as const)('write a body: %j', (body, encoding, written) => {
    const given = Array.isArray(body) ? [...body] : (body as string | Buffer | null);
    for (const document of [requestDocument({ body: given }), responseDocument({ body: given })])
      expect(document).toMatchObject({ body_encoding: encoding, body: written });
  });

  test('of a request that a server would refuse are errors', () => {
    expect(() => requestDocument({ url: '/%zz' })).toThrow(BackworksError);
    expect(() => requestDocument({ url: '/a', route: '/b' })).toThrow(/does not match the route \/b/);
  });
});

describe.each(['process', 'in-process'] as const)('a plugin with isolation %s', (isolation) => {
  test('gets the document, and its change is applied as a server does', async () => {
    const config = { headers: { 'x-added': '1' }, context: { seen: true }, body: { changed: true } };
    const plugin = await start('patches_request', { isolation, config });
    const given = requestDocument({ url: '/a?b=c', body: { count: 1 }, context: { user: 'ada' } });
    const outcome = await plugin.beforeRequest(given);
    expectChanged(outcome, {
      headers: { 'x-added': '1', 'content-type': 'application/json' },
      context: { seen: true, user: 'ada' },
      body: { count: 1, changed: true },
      query: { b: 'c' },
    });
    expect(outcome.response).toBeNull();
    expect(() => expectUnchanged(outcome)).toThrow(AssertionError);
    // A document of another hook, changed by the test.
    const next = { ...outcome.document, headers: { 'x-other': '2' } };
    expectChanged(await plugin.beforeRequest(next), { headers: { 'x-added': '1', 'x-other': '2' } });
  });

  test('answers instead of the endpoint', async () => {
    const config = { response: { status: 403, headers: { 'x-why': 'no' }, body: { error: 'no' } } };
    const plugin = await start('patches_request', { isolation, config });
    const outcome = await plugin.beforeRequest(requestDocument());
    expectResponse(outcome, { status: 403, headers: { 'x-why': 'no' }, body: { error: 'no' } });
    expect(outcome.changed).toBe(false);
  });

  test('changes responses', async () => {
    const plugin = await start('patches_response', { isolation, config: { status: 418, body: 'tea' } });
    const document = responseDocument({ body: 'coffee', request: { url: '/cup' } });
    expectChanged(await plugin.afterResponse(document), {
      status: 418,
      body: 'tea',
      request: { path: '/cup' },
    });
  });

  test('has its log, metrics and key-value space recorded', async () => {
    const plugin = await start('operated', { isolation });
    const answer = await plugin.processEndpoint(requestDocument({ url: '/any' }));
    expectResponse(answer, { status: 200 });
    expect(await plugin.metrics()).toEqual({ answers: 1 });
    const user = await start('kv_user', { isolation });
    expect(user.kv.get('starts')).toBe('1');
    user.kv.set('greeting', 'hello');
    const read = requestDocument({ body: 'get greeting' });
    expectResponse(await user.processEndpoint(read), { body: { value: 'hello' } });
  });
});

test('an answer that a server would refuse is a failure', async () => {
  const plugin = await start('patches_request', { config: { method: 5 } });
  const failure = await expectFailure(plugin.beforeRequest(requestDocument()), 'BW_PLUGIN_BAD_RESPONSE');
  expect(failure.message).toContain('method is not a token');
});

test('operations of other plugins are answered by the test and recorded', async () => {
  const plugin = await start('asks', {
    operations: {
      'storage.kv': (payload) => ({ given: payload }),
      'base.fails': () => {
        throw new Error('broken fake');
      },
    },
  });
  const ask = (path: string): ReturnType<TestPlugin['processEndpoint']> =>
    plugin.processEndpoint(requestDocument({ url: path }));
  expectResponse(await ask('/ask/base/storage.kv'), { body: { told: { given: { key: 'é' } } } });
  expectResponse(await ask('/ask/base/unknown'), { body: { told: null } });
  expectResponse(await ask('/ask/base/base.fails'), { body: { told: null } });
  expect(plugin.operations.map(({ plugin: named, operation }) => [named, operation])).toEqual([
    ['base', 'storage.kv'],
    ['base', 'unknown'],
    ['base', 'base.fails'],
  ]);
  expect((await plugin.logged('broken fake')).source).toBe('server');
});

describe('faults', () => {
  test('a crash is a failure with function and line, and the next call is answered', async () => {
    const plugin = await start('crash_segv');
    const failure = await expectFailure(
      plugin.processEndpoint(requestDocument({ url: '/crash' })),
      'BW_PLUGIN_CRASHED',
    );
    expect(failure.at).toMatch(/\(process_endpoint at crash_segv\.c:\d+\)$/);
    expectResponse(await plugin.processEndpoint(requestDocument({ url: '/ok' })), { status: 200 });
    expect(plugin.failures).toEqual([failure]);
  });

  test('a process is killed, and another one serves', async () => {
    const plugin = await start('operated');
    const pid = async (): Promise<unknown> =>
      (await plugin.processEndpoint(requestDocument({ url: '/pid' })))?.body;
    const before = await pid();
    expect(await plugin.kill('SIGSEGV')).toMatchObject({ code: 'BW_PLUGIN_CRASHED', signal: 'SIGSEGV' });
    expect(await pid()).not.toEqual(before);
  });

  test('a process that is stopped misses its deadline', async () => {
    const plugin = await start('operated', { settings: { timeouts: { call: '200ms', initialize: '30s' } } });
    plugin.freeze();
    const call = plugin.processEndpoint(requestDocument({ url: '/any' }));
    expect((await expectFailure(call, 'BW_PLUGIN_TIMEOUT')).phase).toBe('process_endpoint');
  });

  test('an in-process plugin has no process to kill', async () => {
    const plugin = await start('operated', { isolation: 'in-process' });
    await expect(plugin.kill()).rejects.toMatchObject({ code: 'BW_USAGE' });
  });

  test('what the sandbox refuses is recorded', async () => {
    const plugin = await start('operated');
    await plugin.processEndpoint(requestDocument({ url: '/refused' }));
    expect(plugin.refusals).toMatchObject([{ permission: 'filesystem.read', object: '/etc/hostname' }]);
  });
});

describe('HTTP requests of a plugin', () => {
  const origin = 'https://rates.example';
  /** The document of http_fetch() that the plugin gets for a request. */
  const ask = async (plugin: TestPlugin, request: object): Promise<unknown> => {
    const answer = await plugin.processEndpoint(requestDocument({ body: request as JsonObject }));
    return (answer?.body as { answer: unknown }).answer;
  };
  const granted = { permissions: { network: { fetch: [origin] } } };

  test('are answered by the test and recorded', async () => {
    const plugin = await start('fetcher', {
      ...granted,
      responses: {
        [`${origin}/usd?day=1`]: {
          status: 201,
          headers: { 'Set-Cookie': ['a=1', 'b=2'] },
          body: { rate: 2 },
        },
        [`${origin}/bytes`]: ({ body }) => ({
          headers: { 'x-sent': body as string },
          body: Buffer.from([255, 0]),
        }),
        [`${origin}/busy`]: [{ status: 503 }, { body: 'ready' }],
        [`${origin}/moved`]: { status: 302, headers: { location: '/busy' } },
      },
    });
    const headers = { 'x-key': 'k' };
    expect(
      await ask(plugin, { method: 'POST', url: `${origin}/usd?day=1`, headers, body: { from: 'eur' } }),
    ).toEqual({
      status: 201,
      headers: { 'content-type': 'application/json', 'set-cookie': ['a=1', 'b=2'] },
      body: '{"rate":2}',
      body_encoding: 'text',
    });
    expect(await ask(plugin, { method: 'PUT', url: `${origin}/bytes`, body: 'some text' })).toMatchObject({
      status: 200,
      headers: { 'x-sent': 'some text', 'content-type': 'application/octet-stream' },
      body: '/wA=',
      body_encoding: 'base64',
    });
    expect(await ask(plugin, { url: `${origin}/busy` })).toMatchObject({ status: 503, body: '' });
    for (const url of [`${origin}/busy`, `${origin}/moved`])
      expect(await ask(plugin, { url })).toMatchObject({ status: 200, body: 'ready' });
    expect(plugin.fetches[0]).toEqual({
      method: 'POST',
      url: `${origin}/usd?day=1`,
      headers: { 'content-type': 'application/json', 'x-key': 'k' },
      body: { from: 'eur' },
    });
    expect(plugin.fetches.map(({ url }) => url.slice(origin.length))).toEqual([
      '/usd?day=1',
      '/bytes',
      '/busy',
      '/busy',
      '/moved',
      '/busy',
    ]);
  });

  test('fail as in a server: no answer, no permission, no answer in time', async () => {
    const plugin = await start('fetcher', {
      ...granted,
      responses: {
        'https://other.example/': {},
        [`${origin}/never`]: () => new Promise(() => undefined),
        [`${origin}/broken`]: () => {
          throw new Error('the line is cut');
        },
      },
    });
    const error = async (url: string, more: object = {}): Promise<unknown> => ask(plugin, { url, ...more });
    expect(await error(`${origin}/unknown`)).toEqual({
      error: `the request to ${origin} failed: the test has no response for this URL`,
    });
    expect(await error('https://other.example/')).toEqual({
      error: 'permissions.network.fetch does not grant https://other.example',
    });
    expect(await error(`${origin}/never`, { timeout_ms: 20 })).toEqual({
      error: 'no complete response within 20 ms',
    });
    expect(await error(`${origin}/broken`)).toEqual({
      error: `the request to ${origin} failed: the line is cut`,
    });
    expect(plugin.fetches.map(({ url }) => url)).toEqual([
      `${origin}/unknown`,
      `${origin}/never`,
      `${origin}/broken`,
    ]);
    expect(plugin.refusals).toMatchObject([{ permission: 'network.fetch' }]);
  });
});

test('a plugin that is closed has no process left', async () => {
  const plugin = await start('operated');
  const pids = plugin.processes.map(({ pid }) => pid);
  expect(pids.length).toBeGreaterThan(0);
  await plugin[Symbol.asyncDispose]();
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
});

test('wrong settings and plugins that do not start are errors with the codes of a server', async () => {
  await expect(start('operated', { settings: { isolaton: 'process' } })).rejects.toThrow(ConfigError);
  await expect(startPlugin({ library: './missing.so' })).rejects.toMatchObject({
    code: 'BW_LIBRARY_NOT_FOUND',
  });
  await expect(start('initialize_fails')).rejects.toThrow(PluginFailure);
});

test('assertions name the member that differs', async () => {
  const response = { status: 200, headers: {}, body: { city: 'Oslo', list: [1, 2] } };
  expectResponse(response, { body: { list: [1, 2] } });
  expect(() => expectResponse(response, { body: { list: [1] } })).toThrow(/differs at body\.list/);
  expect(() => expectResponse(response, { more: 1 })).toThrow(/differs at more/);
  expect(() => expectResponse(null, {})).toThrow(/there is no response/);
  await expect(expectFailure(Promise.resolve(1), 'BW_INTERNAL')).rejects.toThrow(/did not fail/);
  await expect(expectFailure(Promise.reject(new Error('no')), 'BW_USAGE')).rejects.toThrow(
    /failed differently/,
  );
});
