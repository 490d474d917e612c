import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually, startServer, type TestServer } from '../fixtures/server.js';

/** Status and control of real plugins through the admin API. */
const cache = ownCache();
const TOKEN = 'planted-token-that-controls';
const READ_TOKEN = 'planted-token-that-reads';

function configuration(extra = '', name = 'operated'): string {
  return `
endpoints:
  ok: { path: /ok, plugin: operated }
  crash: { path: /crash, plugin: operated }
plugins:
  operated: { path: ${compilePlugin(name)} ${extra} }
`;
}

interface Answer {
  status: number;
  text: string;
  body: Record<string, unknown>;
}

async function ask(server: TestServer, path: string, method = 'GET', token = TOKEN): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(server.adminUrl + path, { method, headers });
  const text = await response.text();
  const json = response.headers.get('content-type')?.includes('json') ?? false;
  return { status: response.status, text, body: json ? (JSON.parse(text) as Answer['body']) : {} };
}

const start = (yaml: string): Promise<TestServer> =>
  startServer(yaml, { admin: `token: ${TOKEN}, read_token: ${READ_TOKEN}` });
const post = (server: TestServer, action: string, token?: string): Promise<Answer> =>
  ask(server, `/plugins/operated/${action}`, 'POST', token);
const readyPids = (server: TestServer): number[] =>
  server
    .plugin('operated')
    .processes.flatMap(({ state, pid }) => (state === 'ready' ? [pid] : []))
    .sort();

describe('restart', () => {
  test.each([1, 3])(
    'replaces the processes of %d instances under load, and no request fails',
    async (instances) => {
      const server = await start(configuration(`, instances: ${instances}, timeouts: { call: 5s }`));
      const before = readyPids(server);
      expect(before).toHaveLength(instances);
      let running = true;
      const statuses = new Set<number>();
      const load = Array.from({ length: 4 }, async () => {
        while (running) statuses.add((await server.get('/ok')).status);
      });
      expect(await post(server, 'restart')).toMatchObject({ status: 200, body: { state: 'ready' } });
      const after = readyPids(server);
      running = false;
      await Promise.all(load);
      expect(after).toHaveLength(instances);
      expect(after.filter((pid) => before.includes(pid))).toEqual([]);
      expect([...statuses]).toEqual([200]);
      const gone = (): boolean =>
        server.plugin('operated').processes.every(({ state }) => state !== 'draining');
      await eventually(gone, 'the end of the old processes');
      expect(server.plugin('operated').failures).toEqual([]);
      await server.backworks.stop();
    },
  );

  test('succeeds for two concurrent calls, and a later call replaces the process again', async () => {
    const server = await start(configuration());
    const answers = await Promise.all([post(server, 'restart'), post(server, 'restart')]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const [once] = readyPids(server);
    await post(server, 'restart');
    expect(readyPids(server)).toHaveLength(1);
    expect(readyPids(server)[0]).not.toBe(once);
    await server.backworks.stop();
  });

  test('starts a plugin that failed to start, with the library that is now on disk', async () => {
    const library = join(cache, 'library.so');
    copyFileSync(compilePlugin('initialize_fails'), library);
    const server = await start(configuration().replace(compilePlugin('operated'), library));
    expect(server.plugin('operated').state).toBe('failed');
    expect(await post(server, 'restart')).toMatchObject({
      status: 503,
      body: { code: 'BW_PLUGIN_INITIALIZE' },
    });
    copyFileSync(compilePlugin('operated'), `${library}.new`);
    copyFileSync(`${library}.new`, library);
    expect(await post(server, 'restart')).toMatchObject({
      status: 200,
      body: { state: 'ready', reason: null },
    });
    expect(await server.get('/ok')).toMatchObject({ status: 200 });
    await server.backworks.stop();
  });

  test.each([
    ['that runs in-process', ', isolation: in-process, trusted: true', /server's own process/],
    ['that is disabled', ', enabled: false', /is stopped and cannot be restarted/],
  ])('of a plugin %s is a conflict', async (_case, extra, told) => {
    const server = await start(configuration(extra));
    const { status, body } = await post(server, 'restart');
    expect({ status, code: body['code'] }).toEqual({ status: 409, code: 'BW_PLUGIN_STATE' });
    expect(body['detail']).toMatch(told);
    await server.backworks.stop();
  });

  test('is refused for the read token and for an unknown token', async () => {
    const server = await start(configuration());
    const before = readyPids(server);
    expect(await post(server, 'restart', READ_TOKEN)).toMatchObject({ status: 403 });
    expect(await post(server, 'restart', 'another')).toMatchObject({ status: 401 });
    expect(await ask(server, '/plugins', 'GET', READ_TOKEN)).toMatchObject({ status: 200 });
    expect(readyPids(server)).toEqual(before);
    await server.backworks.stop();
  });
});

describe('a crash', () => {
  test('is reported with signal, address, function, request id and stderr, in the API and in the log', async () => {
    const server = await start(configuration());
    const crashed = await server.get('/crash');
    expect(crashed.status).toBe(503);
    const line = (): TestServer['log'][number] | undefined =>
      server.log.find(({ fields }) => fields['code'] === 'BW_PLUGIN_CRASHED' && 'at' in fields);
    await eventually(() => line() !== undefined, 'the log line');
    const at = /^operated\.so\+0x[0-9a-f]+ \(stumble at operated\.c:\d+\)$/;
    expect(line()).toMatchObject({
      level: 'error',
      message: expect.stringMatching(
        /crashed with SIGSEGV during process_endpoint at operated\.so\+0x.* \(stumble at operated\.c:\d+\)$/,
      ),
      fields: {
        plugin: 'operated',
        signal: 'SIGSEGV',
        phase: 'process_endpoint',
        stderr: ['about to stumble'],
      },
    });
    expect(line()?.fields['at']).toMatch(at);
    const { body } = await ask(server, '/plugins/operated', 'GET', READ_TOKEN);
    expect(body['failures']).toEqual([
      expect.objectContaining({
        outcome: 'crashed',
        code: 'BW_PLUGIN_CRASHED',
        signal: 'SIGSEGV',
        at: expect.stringMatching(at),
        request_id: crashed.headers.get('x-request-id'),
        stderr: ['about to stumble'],
      }),
    ]);
    expect(body).toMatchObject({
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      missing_permissions: ['network.connect 443'],
      sandbox: { mode: 'strict', missing: [] },
    });
    // The path of the cached copy of the library appears nowhere.
    const digest = String(body['digest']).slice(0, 32);
    expect(JSON.stringify([crashed.body, server.log, body['failures'], body['reason']])).not.toContain(
      digest,
    );
    await server.backworks.stop();
  });
});

describe('quarantine', () => {
  const fragile = ', quarantine: { failures: 2, window: 1m }, restart: { delay: 1ms, max_delay: 1ms }';

  async function confined(extra = ''): Promise<TestServer> {
    const server = await start(configuration(fragile + extra));
    for (let crashes = 0; crashes < 2; crashes++) {
      await server.get('/crash');
      await eventually(() => server.plugin('operated').state !== 'degraded', 'an outcome');
    }
    await eventually(() => server.plugin('operated').state === 'failed', 'quarantine');
    return server;
  }

  test('is shown with a reason, refuses restarts, and ends with a release', async () => {
    const server = await confined();
    expect(server.plugin('operated').reason).toMatch(/is in quarantine since .* 2 failures within 60 s/);
    expect(await server.get('/ok')).toMatchObject({ status: 503 });
    expect(await post(server, 'release', READ_TOKEN)).toMatchObject({ status: 403 });
    expect(await post(server, 'restart')).toMatchObject({
      status: 503,
      body: { code: 'BW_PLUGIN_QUARANTINED' },
    });
    const released = await post(server, 'release');
    expect(released).toMatchObject({ status: 200, body: { state: 'ready', reason: null } });
    // The failures before the release are still listed, but no longer count.
    expect(released.body['failures']).toHaveLength(2);
    expect(await server.get('/ok')).toMatchObject({ status: 200 });
    await server.get('/crash');
    await eventually(() => server.plugin('operated').state === 'ready', 'recovery');
    expect(await post(server, 'release')).toMatchObject({ status: 409, body: { code: 'BW_PLUGIN_STATE' } });
    await server.backworks.stop();
  });

  test('survives a restart of the server, until a release', async () => {
    const first = await confined();
    await first.backworks.stop();
    const second = await start(configuration(fragile));
    expect(second.plugin('operated')).toMatchObject({ state: 'failed', digest: expect.any(String) });
    expect(await post(second, 'release')).toMatchObject({ status: 200, body: { state: 'ready' } });
    await second.backworks.stop();
    const third = await start(configuration(fragile));
    expect(third.plugin('operated').state).toBe('ready');
    await third.backworks.stop();
  });

  test.each([
    ['an optional plugin leaves the server ready, and readyz names the plugin', '', 200, 'ready', false],
    ['a critical plugin makes the server unavailable', ', critical: true', 503, 'unavailable', true],
  ] as const)('of %s', async (_case, extra, code, status, critical) => {
    const server = await confined(extra);
    expect(await ask(server, '/readyz')).toMatchObject({
      status: code,
      body: { status, not_serving: [{ name: 'operated', state: 'failed', critical }] },
    });
    expect(await post(server, 'release')).toMatchObject({ status: 200 });
    expect(await ask(server, '/readyz')).toMatchObject({ status: 200, body: { not_serving: [] } });
    await server.backworks.stop();
  });
});

describe('an open circuit', () => {
  const breaker = (reset: string): string =>
    `, circuit_breaker: { failures: 1, window: 30s, reset_after: ${reset} }`;

  test.each([
    ['an optional plugin leaves the server ready, and readyz names the plugin', '', 200, 'ready', false],
    ['a critical plugin makes the server unavailable', ', critical: true', 503, 'unavailable', true],
  ] as const)('of %s', async (_case, extra, code, status, critical) => {
    const server = await start(configuration(breaker('1h') + extra));
    while (server.plugin('operated').circuit !== 'open') await server.get('/crash');
    expect(await ask(server, '/readyz')).toMatchObject({
      status: code,
      body: { status, not_serving: [{ name: 'operated', state: 'degraded', critical }] },
    });
    await server.backworks.stop();
  });

  test('counts as serving once it is half-open, because only a call can close it', async () => {
    const server = await start(configuration(`${breaker('50ms')}, critical: true`));
    await server.get('/crash');
    await eventually(() => server.plugin('operated').circuit === 'half-open', 'the end of the pause');
    const isReady = (): boolean => server.plugin('operated').processes.some(({ state }) => state === 'ready');
    await eventually(isReady, 'the start of another process');
    expect(await ask(server, '/readyz')).toMatchObject({ status: 200 });
    expect(await server.get('/ok')).toMatchObject({ status: 200 });
    expect(server.plugin('operated').circuit).toBe('closed');
    await server.backworks.stop();
  });
});

describe('health checks', () => {
  const slow = 'timeouts: { call: 30ms }, config: { health_ms: 120 }';

  test('may take longer than timeouts.call', async () => {
    const server = await start(configuration(`, ${slow}, health: { interval: 20ms, timeout: 10s }`));
    const checked = (): boolean => (server.plugin('operated').calls['health_check']?.calls ?? 0) >= 2;
    await eventually(checked, 'two health checks');
    expect(server.plugin('operated')).toMatchObject({ state: 'ready', reason: null, failures: [] });
    expect(server.plugin('operated').calls['health_check']?.failed).toBe(0);
    await server.backworks.stop();
  });

  test('are stopped at health.timeout', async () => {
    const server = await start(
      configuration(
        ', timeouts: { call: 1h }, config: { health_ms: 60000 }, health: { interval: 50ms, timeout: 30ms }',
      ),
    );
    const timedOut = (): boolean =>
      server
        .plugin('operated')
        .failures.some(({ phase, code }) => phase === 'health_check' && code === 'BW_PLUGIN_TIMEOUT');
    await eventually(timedOut, 'the deadline');
    await server.backworks.stop();
  });
});

test('no answer of the admin API and no log line contains a secret', async () => {
  const secrets = ['planted-config-1', 'planted-config-2', 'planted-variable', TOKEN, READ_TOKEN];
  const extra = `, config: { api_key: planted-config-1, nested: { password: planted-config-2 } },
    permissions: { env: [PLANTED] }, quarantine: { failures: 2, window: 1m }, restart: { delay: 1ms, max_delay: 1ms }`;
  const server = await startServer(configuration(extra), {
    admin: `token: ${TOKEN}, read_token: ${READ_TOKEN}`,
    environment: { PLANTED: 'planted-variable' },
  });
  const answers: string[] = [];
  const batch = async (): Promise<void> => {
    for (const token of [TOKEN, READ_TOKEN, 'wrong']) {
      for (const path of [
        '/plugins',
        '/plugins/operated',
        '/metrics',
        '/healthz',
        '/readyz',
        '/plugins/nobody',
      ]) {
        answers.push((await ask(server, path, 'GET', token)).text);
      }
      for (const action of ['restart', 'release']) answers.push((await post(server, action, token)).text);
      answers.push((await ask(server, '/plugins', 'DELETE', token)).text);
    }
  };
  await batch();
  await server.get('/crash');
  await eventually(() => server.plugin('operated').state === 'ready', 'recovery');
  await server.get('/crash');
  await eventually(() => server.plugin('operated').state === 'failed', 'quarantine');
  await batch();
  expect(server.plugin('operated').state).toBe('ready');
  await server.backworks.stop();
  const written = [...answers, ...server.log.map((line) => JSON.stringify(line))].join('\n');
  expect(written.length).toBeGreaterThan(5000);
  for (const secret of secrets) expect(written).not.toContain(secret);
});
