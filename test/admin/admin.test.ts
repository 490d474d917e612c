import { expect, test } from '@jest/globals';
import { defaultPluginPolicy } from '../../dist/config/load/load.js';
import { PluginMetrics } from '../../dist/metrics/plugin-metrics.js';
import type { PluginState } from '../../dist/lifecycle/entry/plugin-state.js';
import type { PluginStatus, PostMortem } from '../../dist/lifecycle/entry/status.js';
import { type AdminControl, type AdminStatus, createAdminApp } from '../../dist/admin/admin.js';

const limitsInForce = {
  ...defaultPluginPolicy().limits,
  memoryCgroupBytes: 272 * 1024 ** 2,
  frameBytes: 16 * 1024 ** 2,
};
const TOKEN = 'correct horse battery staple'.replaceAll(' ', '-');
const authorization = { authorization: `Bearer ${TOKEN}` };

const POST_MORTEM: PostMortem = {
  time: new Date('2026-01-02T03:01:00.000Z'),
  outcome: 'crashed',
  code: 'BW_PLUGIN_CRASHED',
  message: 'plugin weather crashed with SIGSEGV during process_endpoint',
  phase: 'process_endpoint',
  signal: 'SIGSEGV',
  exitStatus: null,
  at: 'libweather.so+0x1139 (process_endpoint)',
  backtrace: [
    { at: 'libweather.so+0x1139', own: true, function: 'process_endpoint', file: '/src/weather.c', line: 12 },
  ],
  said: 'panicked at src/lib.rs:12:5: no such city',
  systemCall: null,
  requestId: 'r-1',
  stderr: ['about to do something silly'],
  limits: { ...limitsInForce, openFiles: 32 },
};

/** Used by the tests of control. test/e2e/control.test.ts controls real plugins. */
const noControl: AdminControl = {
  reload: () => Promise.reject(new Error('not asked for')),
  restart: () => Promise.reject(new Error('not asked for')),
  release: () => Promise.reject(new Error('not asked for')),
  enable: () => Promise.reject(new Error('not asked for')),
  disable: () => Promise.reject(new Error('not asked for')),
  unload: () => Promise.reject(new Error('not asked for')),
  load: () => Promise.reject(new Error('not asked for')),
  swap: () => Promise.reject(new Error('not asked for')),
  rollBack: () => Promise.reject(new Error('not asked for')),
  history: () => Promise.reject(new Error('not asked for')),
};

function plugin(name: string, state: PluginState, more: Partial<PluginStatus> = {}): PluginStatus {
  return {
    name,
    state,
    reason: state === 'failed' ? `${name} refused to initialize` : null,
    since: new Date('2026-01-02T03:04:05.000Z'),
    body: { request: 'buffer', response: 'auto' },
    origin: 'config',
    type: 'external',
    path: `/plugins/lib${name}.so`,
    version: '1.2.3',
    description: `The ${name} plugin`,
    hooks: ['before_request', 'process_endpoint'],
    isolation: 'process',
    critical: false,
    onFailure: 'skip',
    hookScope: 'all',
    failsOpen: true,
    hasDenied: false,
    priority: 100,
    order: 1,
    needs: [{ kind: 'capability', name: 'storage.kv', version: '^1', optional: true, provider: 'store' }],
    neededBy: [{ name: 'session', optional: false }],
    circuit: 'closed',
    calls: { before_request: { calls: 7, failed: 2 } },
    processes: [
      {
        pid: 4242,
        state: 'ready',
        startedAt: new Date('2026-01-02T03:00:00.000Z'),
        calls: 7,
        usage: { threads: 3, residentBytes: 1_500_000, cpuMs: 250 },
      },
    ],
    digest: 'ab'.repeat(32),
    sandbox: { mode: 'strict', states: { seccomp: '1' }, missing: [] },
    trial: null,
    versions: [],
    lastSwap: null,
    missingPermissions: ['network.connect 443'],
    limits: { ...limitsInForce, memoryBytes: 1024, queue: 64 },
    refusals: [
      {
        permission: 'network.connect',
        function: 'connect',
        object: '443',
        times: 3,
        last: new Date('2026-01-02T03:05:00.000Z'),
      },
    ],
    failures: [POST_MORTEM],
    ...more,
  };
}

function admin(status: Partial<AdminStatus> = {}, metrics = new PluginMetrics()) {
  const whole: AdminStatus = {
    plugins: [],
    rejected: [],
    draining: false,
    startedAt: new Date('2026-01-02T03:00:00.000Z'),
    ...status,
  };
  return createAdminApp({
    status: () => whole,
    control: noControl,
    metrics,
    token: TOKEN,
    version: '9.8.7',
    configFile: '/etc/backworks.yaml',
  });
}

test('healthz answers while the process lives, whatever the plugins do', async () => {
  const response = await admin({ plugins: [plugin('a', 'failed', { critical: true })] }).request('/healthz');
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ status: 'ok', version: '9.8.7' });
  expect(response.headers.get('cache-control')).toBe('no-store');
});

test.each<[string, Partial<AdminStatus>, number, string]>([
  ['without plugins', {}, 200, 'ready'],
  [
    'with a critical plugin that serves',
    { plugins: [plugin('a', 'ready', { critical: true })] },
    200,
    'ready',
  ],
  [
    'with a degraded critical plugin',
    { plugins: [plugin('a', 'degraded', { critical: true })] },
    200,
    'ready',
  ],
  [
    'with a disabled critical plugin',
    { plugins: [plugin('a', 'stopped', { critical: true })] },
    200,
    'ready',
  ],
  [
    'with a failed critical plugin',
    { plugins: [plugin('a', 'failed', { critical: true })] },
    503,
    'unavailable',
  ],
  [
    'with a critical plugin that is starting',
    { plugins: [plugin('a', 'loading', { critical: true })] },
    503,
    'starting',
  ],
  ['before the plugins were tried', { starting: true }, 503, 'starting'],
  ['while draining', { draining: true, plugins: [plugin('a', 'ready')] }, 503, 'draining'],
])('readyz %s', async (_case, status, code, word) => {
  const response = await admin(status).request('/readyz');
  expect(response.status).toBe(code);
  expect(await response.json()).toMatchObject({ status: word });
});

test('readyz names a failed optional plugin without the reason, and stays ready', async () => {
  const plugins = [plugin('good', 'ready', { critical: true }), plugin('bad', 'failed')];
  const response = await admin({ plugins }).request('/readyz');
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    status: 'ready',
    not_serving: [{ name: 'bad', state: 'failed', critical: false }],
    degraded: [],
  });
});

test('readyz names a plugin that serves with a problem', async () => {
  const sandbox = { mode: 'best-effort' as const, states: {}, missing: ['Landlock is not available'] };
  const plugins = [
    plugin('open', 'degraded', { sandbox }),
    plugin('unwell', 'degraded', { critical: true }),
    plugin('good', 'ready'),
  ];
  const response = await admin({ plugins }).request('/readyz');
  expect([response.status, await response.json()]).toEqual([
    200,
    {
      status: 'ready',
      not_serving: [],
      degraded: [
        { name: 'open', critical: false, sandbox: 'degraded' },
        { name: 'unwell', critical: true, sandbox: 'complete' },
      ],
    },
  ]);
});

test('an open circuit breaker counts as not serving, a half-open one counts as serving', async () => {
  const readyz = async (more: Partial<PluginStatus>) => {
    const response = await admin({ plugins: [plugin('a', 'degraded', more)] }).request('/readyz');
    return [response.status, await response.json()] as const;
  };
  const named = (critical: boolean) => [{ name: 'a', state: 'degraded', critical }];
  expect(await readyz({ circuit: 'open' })).toEqual([
    200,
    { status: 'ready', not_serving: named(false), degraded: [] },
  ]);
  expect(await readyz({ circuit: 'open', critical: true })).toEqual([
    503,
    { status: 'unavailable', not_serving: named(true), degraded: [] },
  ]);
  expect(await readyz({ circuit: 'half-open', critical: true })).toEqual([
    200,
    { status: 'ready', not_serving: [], degraded: [{ name: 'a', critical: true, sandbox: 'complete' }] },
  ]);
});

test.each([
  ['no header', undefined],
  ['another scheme', `Basic ${TOKEN}`],
  ['a wrong token', 'Bearer wrong'],
  ['an empty token', 'Bearer '],
  ['a prefix of the token', `Bearer ${TOKEN.slice(0, -1)}`],
  ['the token and more', `Bearer ${TOKEN}x`],
])('metrics and plugins answer 401 to %s', async (_case, value) => {
  const app = admin({ plugins: [plugin('weather', 'ready')] });
  for (const path of ['/metrics', '/plugins', '/plugins/weather', '/plugins/nobody']) {
    const response = await app.request(path, {
      headers: value === undefined ? {} : { authorization: value },
    });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="backworks admin"');
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    const document = (await response.json()) as Record<string, unknown>;
    expect(document).toMatchObject({ status: 401, code: 'BW_ADMIN_UNAUTHORIZED', instance: path });
    expect(JSON.stringify(document)).not.toContain('The weather plugin');
  }
});

test('the read token allows reading but not control', async () => {
  const asked: string[] = [];
  const act = (name: string): Promise<void> => Promise.resolve(void asked.push(name));
  const app = createAdminApp({
    status: () => ({
      plugins: [plugin('weather', 'ready')],
      rejected: [],
      draining: false,
      startedAt: new Date(),
    }),
    control: { ...noControl, restart: act, release: act },
    metrics: new PluginMetrics(),
    token: TOKEN,
    readToken: 'only-looking',
    version: '1',
  });
  const reader = { authorization: 'Bearer only-looking' };
  for (const path of ['/plugins', '/plugins/weather', '/metrics']) {
    expect((await app.request(path, { headers: reader })).status).toBe(200);
    expect((await app.request(path, { headers: authorization })).status).toBe(200);
  }
  for (const path of ['/plugins/weather/restart', '/plugins/weather/release', '/plugins/nobody/restart']) {
    const refused = await app.request(path, { method: 'POST', headers: reader });
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ code: 'BW_ADMIN_FORBIDDEN', instance: path });
    const unknown = await app.request(path, { method: 'POST', headers: { authorization: 'Bearer only' } });
    expect(unknown.status).toBe(401);
    expect((await app.request(path, { method: 'POST' })).status).toBe(401);
  }
  expect(asked).toEqual([]);
  const done = await app.request('/plugins/weather/restart', { method: 'POST', headers: authorization });
  expect(done.status).toBe(200);
  expect(await done.json()).toMatchObject({ name: 'weather', state: 'ready' });
  expect(asked).toEqual(['weather']);
});

test('control accepts only POST, and only names of plugins', async () => {
  const app = admin({ plugins: [plugin('weather', 'ready')] });
  const path = '/plugins/weather/restart';
  const get = await app.request(path, { headers: authorization });
  expect(get.status).toBe(405);
  expect(get.headers.get('allow')).toBe('POST');
  const names = [
    'nobody',
    '..%2Fweather',
    '%2Fplugins%2Flibweather.so',
    'weather%00',
    '__proto__',
    'ab'.repeat(32),
  ];
  for (const name of names) {
    const response = await app.request(`/plugins/${name}/release`, {
      method: 'POST',
      headers: authorization,
    });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'BW_ROUTE_NOT_FOUND' });
  }
});

test('the scheme of the authorization header is case-insensitive', async () => {
  const response = await admin().request('/plugins', { headers: { authorization: `bearer ${TOKEN}` } });
  expect(response.status).toBe(200);
});

test('an empty token is a TypeError instead of an open API', () => {
  const metrics = new PluginMetrics();
  const startedAt = new Date();
  const status = () => ({ plugins: [], rejected: [], draining: false, startedAt });
  expect(() => createAdminApp({ status, control: noControl, metrics, token: '', version: '1' })).toThrow(
    /empty token/,
  );
});

test('metrics contain the plugins and the process in the Prometheus text format', async () => {
  const metrics = new PluginMetrics();
  metrics.hook('weather', 'before_request').failedWith('BW_PLUGIN_CRASHED', 3);
  const response = await admin({}, metrics).request('/metrics', { headers: authorization });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const lines = (await response.text()).split('\n');
  expect(lines).toContain(
    'backworks_plugin_failures_total{plugin="weather",hook="before_request",code="BW_PLUGIN_CRASHED"} 1',
  );
  expect(lines).toEqual(
    expect.arrayContaining([expect.stringMatching(/^nodejs_eventloop_lag_p99_seconds \d/)]),
  );
});

test('every counter ends in _total, no other metric does, and each has a help text', async () => {
  const text = await (await admin().request('/metrics', { headers: authorization })).text();
  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => ({
    name,
    type,
  }));
  expect(types.length).toBeGreaterThan(20);
  const misnamed = types.filter(({ name, type }) => name.endsWith('_total') !== (type === 'counter'));
  expect(misnamed).toEqual([]);
  for (const { name } of types) expect(text).toMatch(new RegExp(`^# HELP ${name} \\S`, 'm'));
});

test('gauges show the plugins at the time of the scrape, without removed ones', async () => {
  const metrics = new PluginMetrics();
  const best = { mode: 'best-effort' as const, states: {}, missing: ['Landlock is not available'] };
  const plugins = [
    plugin('weather', 'degraded', { sandbox: best }),
    plugin('old', 'ready', { processes: [] }),
  ];
  const app = admin({ plugins }, metrics);
  const scrape = async (): Promise<string[]> =>
    (await (await app.request('/metrics', { headers: authorization })).text()).split('\n');
  expect(await scrape()).toEqual(
    expect.arrayContaining([
      'backworks_plugin_state{plugin="weather",state="degraded"} 1',
      'backworks_plugin_state{plugin="weather",state="ready"} 0',
      'backworks_plugin_state{plugin="old",state="ready"} 1',
      'backworks_plugin_sandbox_degraded{plugin="weather"} 1',
      'backworks_plugin_sandbox_degraded{plugin="old"} 0',
      'backworks_plugin_processes{plugin="weather",state="ready"} 1',
      'backworks_plugin_processes{plugin="old",state="ready"} 0',
      'backworks_plugin_resident_bytes{plugin="weather"} 1500000',
      'backworks_plugin_cpu_seconds{plugin="weather"} 0.25',
    ]),
  );
  plugins.pop();
  expect((await scrape()).filter((line) => line.includes('plugin="old"'))).toEqual([]);
});

test('two admin apps can share one registry', () => {
  const metrics = new PluginMetrics();
  expect(() => [admin({}, metrics), admin({}, metrics)]).not.toThrow();
});

test('plugins and rejected files are listed in snake_case, with exactly the documented keys', async () => {
  const secret = { config: { api_key: 'hunter2' } } as Partial<PluginStatus>;
  const rejected = [
    { path: '/plugins/x.so', code: 'BW_LIBRARY_FORMAT', reason: 'x.so is a text file', hint: 'compile it' },
  ];
  const app = admin({ plugins: [plugin('weather', 'ready', secret)], rejected });
  const response = await app.request('/plugins', { headers: authorization });
  const text = await response.text();
  expect(text).not.toContain('hunter2');
  expect(response.headers.get('access-control-allow-origin')).toBeNull();
  const limits = {
    memory_bytes: 256 * 1024 ** 2,
    memory_cgroup_bytes: 272 * 1024 ** 2,
    open_files: 64,
    threads: 64,
    file_size_bytes: 64 * 1024 ** 2,
    cpu_time_ms: 1000,
    idle_cpu_percent: 20,
    concurrency: 1,
    queue: 1024,
    frame_bytes: 16 * 1024 ** 2,
    reply_bytes: 8 * 1024 ** 2,
    parsed_reply_bytes: 1024 ** 2,
    log_bytes_per_second: 64 * 1024,
    kv_bytes: 4 * 1024 ** 2,
  };
  const weather = {
    name: 'weather',
    state: 'ready',
    reason: null,
    since: '2026-01-02T03:04:05.000Z',
    origin: 'config',
    type: 'external',
    path: '/plugins/libweather.so',
    digest: 'ab'.repeat(32),
    version: '1.2.3',
    description: 'The weather plugin',
    hooks: ['before_request', 'process_endpoint'],
    isolation: 'process',
    sandbox: { mode: 'strict', states: { seccomp: '1' }, missing: [] },
    missing_permissions: ['network.connect 443'],
    refusals: [
      {
        permission: 'network.connect',
        function: 'connect',
        object: '443',
        times: 3,
        last: '2026-01-02T03:05:00.000Z',
      },
    ],
    limits: { ...limits, memory_bytes: 1024, queue: 64 },
    critical: false,
    on_failure: 'skip',
    hook_scope: 'all',
    fails_open: true,
    has_denied: false,
    priority: 100,
    body: { request: 'buffer', response: 'auto' },
    order: 1,
    needs: [{ kind: 'capability', name: 'storage.kv', version: '^1', optional: true, provided_by: 'store' }],
    needed_by: [{ name: 'session', optional: false }],
    circuit: 'closed',
    calls: { before_request: { calls: 7, failed: 2 } },
    processes: [
      {
        pid: 4242,
        state: 'ready',
        started_at: '2026-01-02T03:00:00.000Z',
        calls: 7,
        worker: null,
        resident_bytes: 1_500_000,
        threads: 3,
        cpu_seconds: 0.25,
      },
    ],
    versions: [],
    trial: null,
    last_swap: null,
    failures: [
      {
        time: '2026-01-02T03:01:00.000Z',
        outcome: 'crashed',
        code: 'BW_PLUGIN_CRASHED',
        message: 'plugin weather crashed with SIGSEGV during process_endpoint',
        phase: 'process_endpoint',
        signal: 'SIGSEGV',
        exit_status: null,
        at: 'libweather.so+0x1139 (process_endpoint)',
        backtrace: [
          {
            at: 'libweather.so+0x1139',
            own: true,
            function: 'process_endpoint',
            file: '/src/weather.c',
            line: 12,
          },
        ],
        said: 'panicked at src/lib.rs:12:5: no such city',
        system_call: null,
        request_id: 'r-1',
        stderr: ['about to do something silly'],
        limits: { ...limits, open_files: 32 },
      },
    ],
  };
  expect(JSON.parse(text)).toEqual({
    version: '9.8.7',
    started_at: '2026-01-02T03:00:00.000Z',
    config_file: '/etc/backworks.yaml',
    workers: [],
    plugins: [weather],
    rejected,
  });
  const one = await app.request('/plugins/weather', { headers: authorization });
  expect(await one.json()).toEqual(weather);
});

test('an unknown plugin and an unknown path are 404 problems', async () => {
  const app = admin();
  for (const path of ['/plugins/nobody', '/nowhere']) {
    const response = await app.request(path, { headers: authorization });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'BW_ROUTE_NOT_FOUND', instance: path });
  }
});

test('other methods get a 405 with the allowed methods', async () => {
  const response = await admin().request('/plugins', { method: 'DELETE', headers: authorization });
  expect(response.status).toBe(405);
  expect(response.headers.get('allow')).toBe('GET, HEAD');
  const head = await admin().request('/healthz', { method: 'HEAD' });
  expect(head.status).toBe(200);
});

test('a defect is a 500 problem without details', async () => {
  const app = createAdminApp({
    status: () => {
      throw new Error('the password is hunter2');
    },
    control: noControl,
    metrics: new PluginMetrics(),
    token: TOKEN,
    version: '1',
  });
  const response = await app.request('/readyz');
  expect(response.status).toBe(500);
  const text = await response.text();
  expect(JSON.parse(text)).toMatchObject({ code: 'BW_INTERNAL' });
  expect(text).not.toContain('hunter2');
});
