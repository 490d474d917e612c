import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { defaultPluginPolicy, loadConfig, parseConfig } from '../../../dist/config/load/load.js';
import { rejection } from './rejection.js';
import { proxyTarget } from '../../proxy/proxy-config.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'backworks-config-'));
});
afterEach(() => rm(directory, { recursive: true }));

const EXAMPLE = `name: weather
server: { host: 0.0.0.0, port: 80, body_limit: 8MB, body_timeout: 1m, workers: 1, shutdown: { delay: 5s, timeout: 1m } }
admin: { enabled: false, host: "::1", port: 0, token: t, read_token: r, request_metrics: false }
logging: { level: debug, format: json, access: { format: combined, file: access.log, query: keep } }
tracing: { enabled: true, incoming: link }
alerts:
  webhook: https://hooks.example/a?b=c
  headers: { authorization: Bearer x }
  on: [failed, recovered]
  min_interval: 5m
  timeout: 2s
  retry: { attempts: 1, delay: 1ms }
endpoints:
  city: { path: "/weather/{city}", methods: [GET, HEAD], body_limit: 64kB, plugin: weather }
  hello: { path: /hello, response: { status: 201, headers: { x-a: b }, body: { hello: [world, null] } } }
  empty: { path: /empty, response: {} }
  legacy: { path: "/legacy/*", proxy: { target: "http://127.0.0.1:9000" } }
  open: { path: / }
plugins:
  weather:
    path: ./plugins/weather.so
    enabled: false
    critical: true
    priority: -5
    trusted: true
    sandbox: best-effort
    permissions:
      filesystem: { read: [./data, /etc/../usr/share], write: [cache/] }
      network: { connect: [443, 8443], listen: [9000], udp: true, fetch: ['https://API.example.com:443/'] }
      env: [TZ, _A1]
    load: eager
    config: { deep: { er: [1] } }
    timeouts: { call: 250, initialize: 1h, shutdown: 1ms }
    circuit_breaker: { failures: 1, window: 2s, reset_after: 3s }
    retry: { attempts: 3, on: [timeout, bad_response] }
    limits: { memory: 2GiB, open_files: 16, file_size: 1B, cpu_time: 250, idle_cpu: 150%, concurrency: 1, queue: 0, reply: 16MiB, parsed_reply: 1kB, log_rate: 0, kv: 1MB }
    recycle: { calls: 0, memory: 1GiB }
    restart: { delay: 1s, max_delay: 1s }
    health: { interval: 0, timeout: 250 }
    quarantine: { failures: 0, window: 1h }
    swap:
      watch: true
      canary: { percent: 5%, duration: 10m }
      probation: { duration: 0, max_error_rate: 1, max_latency: 0%, max_crashes: 0, min_calls: 100 }
      keep: 1
`;

describe('a whole file', () => {
  test('is normalized', async () => {
    const file = join(directory, 'backworks.yaml');
    await writeFile(file, EXAMPLE);
    const { config, warnings } = await loadConfig(file, { env: {} });
    expect(warnings).toEqual([]);
    expect(config).toEqual({
      name: 'weather',
      version: '0.0.0',
      description: '',
      file,
      server: {
        host: '0.0.0.0',
        port: 80,
        tls: null,
        http2: { accept: 'with-tls', maxStreams: 128 },
        proxyProtocol: { addresses: [], timeoutMs: 5000 },
        connections: {
          max: null,
          maxRequests: 0,
          headerLimitBytes: 16_384,
          headerTimeoutMs: 15_000,
          keepAliveTimeoutMs: 65_000,
          writeTimeoutMs: 30_000,
        },
        bodyLimitBytes: 8e6,
        bodyTimeoutMs: 60_000,
        unmatched: 'plugins-without-endpoint',
        trustProxy: { addresses: [], header: 'x-forwarded' },
        rules: { headers: null, plainHttp: 'allow', compression: null, cache: null },
        workers: 1,
        pluginUsers: { first: 1_900_000_000, count: 65_536 },
        shutdown: { delayMs: 5000, timeoutMs: 60_000 },
        reload: { watch: false, intervalMs: 500 },
      },
      admin: { enabled: false, host: '::1', port: 0, token: 't', readToken: 'r', requestMetrics: false },
      logging: {
        level: 'debug',
        format: 'json',
        access: { format: 'combined', file: join(directory, 'access.log'), query: 'keep' },
      },
      tracing: { enabled: true, incoming: 'link' },
      alerts: {
        webhook: 'https://hooks.example/a?b=c',
        headers: { authorization: 'Bearer x' },
        on: ['failed', 'recovered'],
        minIntervalMs: 300_000,
        timeoutMs: 2000,
        retry: { attempts: 1, delayMs: 1 },
      },
      endpoints: [
        {
          name: 'city',
          path: '/weather/{city}',
          methods: ['GET', 'HEAD'],
          bodyLimitBytes: 64_000,
          hooks: [],
          target: { kind: 'plugin', plugin: 'weather' },
        },
        {
          name: 'hello',
          path: '/hello',
          methods: [],
          bodyLimitBytes: null,
          hooks: [],
          target: {
            kind: 'static',
            response: { status: 201, headers: { 'x-a': 'b' }, body: { hello: ['world', null] } },
          },
        },
        {
          name: 'empty',
          path: '/empty',
          methods: [],
          bodyLimitBytes: null,
          hooks: [],
          target: { kind: 'static', response: { status: 200, headers: {}, body: undefined } },
        },
        {
          name: 'legacy',
          path: '/legacy/*',
          methods: [],
          bodyLimitBytes: null,
          hooks: [],
          target: proxyTarget('http://127.0.0.1:9000', { connectTimeoutMs: 5000 }),
        },
        {
          name: 'open',
          path: '/',
          methods: [],
          bodyLimitBytes: null,
          hooks: [],
          target: { kind: 'any-plugin' },
        },
      ],
      plugins: [
        {
          name: 'weather',
          type: 'external',
          path: join(directory, 'plugins/weather.so'),
          enabled: false,
          config: { deep: { er: [1] } },
          where: `${file}:20:3`,
          critical: true,
          onFailure: null,
          hookScope: 'all',
          priority: -5,
          body: { request: null, response: null },
          load: 'eager',
          idleAfterMs: 0,
          isolation: 'process',
          trusted: true,
          sandbox: 'best-effort',
          permissions: {
            filesystem: {
              read: [join(directory, 'data'), '/usr/share'],
              write: [join(directory, 'cache')],
            },
            network: { connect: [443, 8443], listen: [9000], udp: true, fetch: ['https://api.example.com'] },
            env: ['TZ', '_A1'],
          },
          instances: 1,
          timeouts: { callMs: 250, initializeMs: 3_600_000, shutdownMs: 1 },
          circuitBreaker: { failures: 1, windowMs: 2000, resetAfterMs: 3000 },
          retry: { attempts: 3, on: ['timeout', 'bad_response'] },
          limits: {
            memoryBytes: 2 * 1024 ** 3,
            openFiles: 16,
            threads: 64,
            fileSizeBytes: 1,
            callCpuMs: 250,
            idleCpuPercent: 150,
            concurrency: 1,
            queue: 0,
            replyBytes: 16 * 1024 ** 2,
            parsedReplyBytes: 1000,
            logBytesPerSecond: 0,
            kvBytes: 1_000_000,
          },
          recycle: { calls: 0, memoryBytes: 1024 ** 3 },
          restart: { delayMs: 1000, maxDelayMs: 1000 },
          healthCheck: { intervalMs: 0, timeoutMs: 250 },
          quarantine: { failures: 0, windowMs: 3_600_000 },
          swap: {
            watch: true,
            canary: { percent: 5, durationMs: 600_000 },
            probation: {
              durationMs: 0,
              maxErrorPercent: 1,
              maxLatencyPercent: 0,
              maxCrashes: 0,
              minCalls: 100,
            },
            keep: 1,
          },
        },
      ],
      autoDiscover: {
        enabled: false,
        directories: [join(directory, 'plugins'), '/usr/local/lib/backworks/plugins'],
      },
    });
  });

  test('is frozen throughout', () => {
    const { config, warnings } = parseConfig(EXAMPLE, { directory: '/srv', env: {} });
    const unfrozen = (value: unknown, path: string): string[] =>
      typeof value !== 'object' || value === null
        ? []
        : [
            ...(Object.isFrozen(value) ? [] : [path]),
            ...Object.entries(value).flatMap(([key, part]) => unfrozen(part, `${path}.${key}`)),
          ];
    expect(unfrozen(config, 'config')).toEqual([]);
    expect(Object.isFrozen(warnings)).toBe(true);
    expect(unfrozen(defaultPluginPolicy(), 'policy')).toEqual([]);
    expect(() => Object.assign(config.plugins[0]?.config['deep'] as object, { a: 1 })).toThrow(TypeError);
  });

  test('gets defaults for missing keys', () => {
    const { config } = parseConfig('{}', { directory: '/srv', env: {} });
    expect(config).toMatchObject({
      file: null,
      server: { host: '127.0.0.1', port: 8080, bodyLimitBytes: 1024 ** 2, bodyTimeoutMs: 30_000 },
      admin: { enabled: true, host: '127.0.0.1', port: 8081, token: '', readToken: '', requestMetrics: true },
      logging: { level: 'info', format: 'auto' },
      alerts: {
        webhook: '',
        headers: {},
        on: ['degraded', 'failed', 'quarantined', 'recovered'],
        minIntervalMs: 60_000,
        timeoutMs: 5000,
        retry: { attempts: 4, delayMs: 1000 },
      },
      endpoints: [],
      plugins: [],
      autoDiscover: { enabled: false },
    });
    expect(defaultPluginPolicy()).toEqual({
      critical: null,
      onFailure: null,
      hookScope: 'all',
      priority: null,
      body: { request: null, response: null },
      load: 'eager',
      idleAfterMs: 0,
      isolation: 'process',
      trusted: false,
      sandbox: 'strict',
      permissions: {
        filesystem: { read: [], write: [] },
        network: { connect: [], listen: [], udp: false, fetch: [] },
        env: [],
      },
      instances: 1,
      timeouts: { callMs: null, initializeMs: 5000, shutdownMs: 2000 },
      circuitBreaker: { failures: 5, windowMs: 60_000, resetAfterMs: 10_000 },
      retry: { attempts: 1, on: ['crash'] },
      limits: {
        memoryBytes: 256 * 1024 ** 2,
        openFiles: 64,
        threads: 64,
        fileSizeBytes: 64 * 1024 ** 2,
        callCpuMs: 1000,
        idleCpuPercent: 20,
        concurrency: 1,
        queue: 1024,
        replyBytes: 8 * 1024 ** 2,
        parsedReplyBytes: 1024 ** 2,
        logBytesPerSecond: 64 * 1024,
        kvBytes: 4 * 1024 * 1024,
      },
      recycle: { calls: 1_000_000, memoryBytes: 128 * 1024 ** 2 },
      restart: { delayMs: 100, maxDelayMs: 30_000 },
      healthCheck: { intervalMs: 10_000, timeoutMs: 1000 },
      quarantine: { failures: 10, windowMs: 600_000 },
      swap: {
        watch: false,
        canary: { percent: 0, durationMs: 30_000 },
        probation: {
          durationMs: 60_000,
          maxErrorPercent: 10,
          maxLatencyPercent: 500,
          maxCrashes: 2,
          minCalls: 20,
        },
        keep: 3,
      },
    });
    expect(Object.isFrozen(defaultPluginPolicy())).toBe(true);
  });

  test('that shares a block by an alias gets the defaults of each key', () => {
    const { config } = parseConfig('server: &a { host: "::1" }\nadmin: *a\n', { directory: '/srv', env: {} });
    expect([config.server.port, config.admin.port]).toEqual([8080, 8081]);
  });
});

describe('all problems of a file', () => {
  const error = rejection(`server: { prot: 80 }
plugins:
  weather:
    path: w.so
    timeouts: { call: fast }
  clock: { type: external }
endpoints:
  a: { path: /a, plugin: "\${NAME}" }
  b: { path: b }
`);

  test('are reported at once, in the order of the file', () => {
    expect(error.message.split('\n')).toEqual([
      'backworks.yaml:1:11: server.prot: unknown key "prot" — did you mean "port"?',
      'backworks.yaml:5:23: plugins.weather.timeouts.call: expected a duration such as "100ms", found "fast"',
      'backworks.yaml:6:3: plugins.clock: the key "path" is missing — an external plugin is a library file',
      'backworks.yaml:8:26: endpoints.a.plugin: the variable NAME is not set' +
        ' — set it, or give a default: ${NAME:-default}',
      'backworks.yaml:9:14: endpoints.b.path: expected a path that starts with "/", found "b"',
    ]);
  });

  test('are available to programs as fields', () => {
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      code: 'BW_CONFIG_INVALID',
      message: error.message,
      problems: error.problems,
    });
    expect(error.exitCode).toBe(3);
    expect(error.problems[1]).toEqual({
      code: 'BW_CONFIG_INVALID',
      file: 'backworks.yaml',
      line: 5,
      column: 23,
      path: 'plugins.weather.timeouts.call',
      message: 'expected a duration such as "100ms", found "fast"',
      expected: 'a duration such as "100ms"',
      found: '"fast"',
      hint: null,
    });
  });

  test('do not include consequences of another problem', () => {
    const text =
      'plugins: { a: { path: 1, isolation: in-process, trusted: 2 } }\nendpoints: { b: { path: /, plugin: a } }';
    expect(rejection(text).problems.map((problem) => problem.path)).toEqual([
      'plugins.a.path',
      'plugins.a.trusted',
    ]);
    expect(rejection('plugins: 1\nendpoints: { b: { path: /, plugin: a } }').problems).toHaveLength(1);
  });
});
