/** Configurations that load, and their warnings. */
import { describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../../dist/config/load/load.js';

const load = (text: string) => parseConfig(text, { file: 'backworks.yaml', directory: '/srv/app', env: {} });

/** The warnings for a plugin with `settings`. The settings begin at column 26. */
const warnings = (settings: string) => load(`plugins: { a: { path: lib/x.so, ${settings} } }`).warnings;

describe('a warning about permissions that are not enforced', () => {
  const reason = 'the plugin can do everything that the server can';

  test.each([
    'filesystem: { read: [./data] }',
    'filesystem: { write: [./data] }',
    'network: { connect: [443] }',
    'network: { listen: [443] }',
    'network: { udp: true }',
  ])('names %s without a sandbox', (permission) => {
    expect(warnings(`sandbox: off, permissions: { ${permission} }`)).toEqual([
      `backworks.yaml:1:47: plugins.a.permissions: not enforced because sandbox is off: ${reason}`,
    ]);
    expect(warnings(`sandbox: best-effort, permissions: { ${permission} }`)).toEqual([]);
    expect(warnings(`permissions: { ${permission} }`)).toEqual([]);
  });

  test('does not appear for empty permissions, or for env of a process', () => {
    const nothing = 'filesystem: { read: [], write: [] }, network: { connect: [], listen: [], udp: false }';
    expect(warnings(`sandbox: off, permissions: { ${nothing} }`)).toEqual([]);
    expect(warnings('sandbox: off, permissions: { env: [TZ] }')).toEqual([]);
  });

  test('names origins of an in-process plugin', () => {
    const permission = 'network: { fetch: ["https://a.example"] }';
    expect(warnings(`permissions: { ${permission} }, isolation: in-process, trusted: true`)).toEqual([
      'backworks.yaml:1:59: plugins.a.permissions.network.fetch: has no effect: an in-process plugin has no http_fetch() — remove it',
    ]);
    expect(warnings(`permissions: { ${permission} }`)).toEqual([]);
  });

  test.each(['env: [TZ]', 'network: { udp: true }'])('names %s of an in-process plugin', (permission) => {
    expect(warnings(`permissions: { ${permission} }, isolation: in-process, trusted: true`)).toEqual([
      `backworks.yaml:1:33: plugins.a.permissions: not enforced because isolation is in-process: ${reason}`,
    ]);
  });

  test('does not appear for a disabled plugin', () => {
    expect(warnings('enabled: false, sandbox: off, permissions: { network: { udp: true } }')).toEqual([]);
  });
});

describe('a warning about limits without effect', () => {
  test('has the location of each limit in the file', () => {
    const limits = 'memory: 64MiB, open_files: 0, file_size: 1MiB, idle_cpu: 0, cpu_time: 1s, queue: 1';
    const about = 'has no effect on an in-process plugin — remove it';
    expect(warnings(`isolation: in-process, trusted: true, limits: { ${limits} }`)).toEqual([
      `backworks.yaml:1:81: plugins.a.limits.memory: ${about}`,
      `backworks.yaml:1:96: plugins.a.limits.open_files: ${about}`,
      `backworks.yaml:1:111: plugins.a.limits.file_size: ${about}`,
      `backworks.yaml:1:141: plugins.a.limits.cpu_time: ${about}`,
      `backworks.yaml:1:128: plugins.a.limits.idle_cpu: ${about}`,
    ]);
    expect(warnings('isolation: in-process, trusted: true')).toEqual([]);
  });

  test('names a recycle.memory above limits.memory', () => {
    const reason = 'above limits.memory: a growing process is killed before it is replaced — lower it';
    expect(warnings('recycle: { memory: 257MiB }')).toEqual([
      `backworks.yaml:1:44: plugins.a.recycle.memory: ${reason}`,
    ]);
    expect(warnings('limits: { memory: 64MiB }, recycle: { memory: 64MiB }')).toEqual([]);
    expect(warnings('sandbox: off, limits: { memory: 0 }, recycle: { memory: 1GiB }')).toEqual([]);
    expect(warnings('isolation: in-process, trusted: true, recycle: { memory: 1GiB }')).toEqual([]);
  });
});

test.each([
  ['256MiB', 128],
  ['1GiB', 128],
  ['64MiB', 32],
  ['8MiB', 4],
])('with a memory limit of %s a process is replaced at %d MiB', (memory, expected) => {
  const { config, warnings } = load(`plugins: { a: { path: x, limits: { memory: ${memory} } } }`);
  expect(config.plugins[0]?.recycle.memoryBytes).toBe(expected * 1024 ** 2);
  expect(warnings).toEqual([]);
});

test('without a memory limit a process is still replaced at 128 MiB', () => {
  const { config } = load('plugins: { a: { path: x, sandbox: off, limits: { memory: 0 } } }');
  expect(config.plugins[0]?.limits.memoryBytes).toBe(0);
  expect(config.plugins[0]?.recycle.memoryBytes).toBe(128 * 1024 ** 2);
});

test.each([
  ['', 'strict'],
  ['sandbox: off', 'off'],
  ['sandbox: best-effort', 'best-effort'],
  ['isolation: in-process, trusted: true', 'off'],
  ['isolation: in-process, trusted: true, sandbox: off', 'off'],
])('the sandbox of a plugin with "%s" is %s', (settings, expected) => {
  expect(load(`plugins: { a: { path: x, ${settings} } }`).config.plugins[0]?.sandbox).toBe(expected);
});

test('an admin address that other machines can reach, without a token, gets a warning', () => {
  const admin = (settings: string) => load(`name: a\nadmin: { ${settings} }\n`).warnings;
  expect(admin('host: 0.0.0.0')).toEqual([
    'backworks.yaml:2:1: admin: other machines can reach the admin API, and its token changes at each start — set admin.token',
  ]);
  expect(admin('host: 0.0.0.0, read_token: r')).toHaveLength(1);
  expect(admin('host: 0.0.0.0, token: t')).toEqual([]);
  expect(admin('host: 0.0.0.0, enabled: false')).toEqual([]);
  expect(admin('host: 127.1.2.3')).toEqual([]);
});

test('an unencrypted webhook on another machine gets a warning', () => {
  const of = (webhook: string) => load(`alerts: { webhook: "${webhook}" }`).warnings;
  expect(of('http://hooks.example/secret')).toEqual([
    'backworks.yaml:1:11: alerts.webhook: alerts and their headers travel unencrypted to another machine — use https',
  ]);
  expect(of('HTTP://10.0.0.1/').length).toBe(1);
  for (const url of [
    'https://hooks.example/',
    'http://127.0.0.1:9/',
    'http://[::1]/',
    'http://localhost/',
    '',
  ]) {
    expect(of(url)).toEqual([]);
  }
});
