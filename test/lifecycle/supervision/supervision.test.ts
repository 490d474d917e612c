import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Quarantine } from '../../../dist/lifecycle/records/quarantine.js';
import { compilePlugin } from '../../fixtures/compile.js';
import { eventually, type LogLine, startServer, type TestServer } from '../../fixtures/server.js';

const directories: string[] = [];
let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'backworks-supervision-'));
  chmodSync(directory, 0o755);
  directories.push(directory);
  process.env['XDG_CACHE_HOME'] = join(directory, 'cache');
});
afterAll(() => directories.forEach((path) => rmSync(path, { recursive: true, force: true })));

/** supervised.c at /ok and /crash, with a health file and a file that makes the plugin refuse to start. */
function start(library: string, policy: string): Promise<TestServer> {
  const [refuse, health] = [join(directory, 'refuse'), join(directory, 'health')];
  return startServer(`
endpoints:
  ok: { path: /ok, plugin: supervised }
  crash: { path: /crash, plugin: supervised }
plugins:
  supervised:
    path: ${library}
    config: { refuse_if: ${refuse}, health: ${health} }
    permissions: { filesystem: { read: [${directory}] } }
    circuit_breaker: { failures: 1000, window: 1s }
    ${policy}
`);
}

function libraryCopy(name = 'supervised.so'): string {
  const copy = join(directory, name);
  copyFileSync(compilePlugin('supervised'), copy);
  return copy;
}

describe('states', () => {
  test('a health check makes a plugin degraded, and ready again', async () => {
    const server = await start(libraryCopy(), 'health: { interval: 100ms }');
    expect(server.plugin('supervised')).toMatchObject({ state: 'ready', reason: null });
    writeFileSync(join(directory, 'health'), '3');
    await eventually(() => server.plugin('supervised').state === 'degraded', 'degraded');
    expect(server.plugin('supervised').reason).toMatch(/health check says/);
    rmSync(join(directory, 'health'));
    await eventually(() => server.plugin('supervised').state === 'ready', 'ready');
  });

  test('a plugin is failed while its processes cannot start, and ready when they can again', async () => {
    const server = await start(
      libraryCopy(),
      'restart: { delay: 10ms, max_delay: 50ms }\n    quarantine: { failures: 0 }\n    critical: true',
    );
    const ready = async (): Promise<number> => (await fetch(`${server.adminUrl}/readyz`)).status;
    expect(await ready()).toBe(200);
    writeFileSync(join(directory, 'refuse'), '');
    expect(await server.get('/crash')).toMatchObject({ status: 503 });
    await eventually(() => server.plugin('supervised').state === 'failed', 'failed');
    expect(server.plugin('supervised').reason).toMatch(/refused to initialize/);
    expect(await ready()).toBe(503);
    rmSync(join(directory, 'refuse'));
    await eventually(() => server.plugin('supervised').state === 'ready', 'ready');
    expect(await server.get('/ok')).toMatchObject({ status: 200 });
    expect(await ready()).toBe(200);
  });

  test('the delay between restarts doubles', async () => {
    const server = await start(
      libraryCopy(),
      'restart: { delay: 20ms, max_delay: 10s }\n    quarantine: { failures: 0 }',
    );
    const times: number[] = [];
    const failures = (): number =>
      server.log.filter(({ message }) => /refused to initialize/.test(message)).length;
    writeFileSync(join(directory, 'refuse'), '');
    await server.get('/crash');
    while (times.length < 5) {
      await eventually(() => failures() > times.length, 'another start');
      times.push(performance.now());
    }
    // The delay after n failures is at least 20 ms · 2^n; only lower bounds are certain.
    const last = (times[4] ?? 0) - (times[3] ?? 0);
    const first = (times[1] ?? 0) - (times[0] ?? 0);
    expect(last).toBeGreaterThan(first);
    expect((times[4] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(20 + 40 + 80 + 160);
  });
});

test('an incomplete sandbox is logged at each start and shown in the list, in health and in metrics', async () => {
  const nowhere = join(directory, 'nowhere');
  const yaml = (mode: string): string => `
plugins:
  supervised:
    path: ${libraryCopy()}
    sandbox: ${mode}
    permissions: { filesystem: { read: [${nowhere}] } }`;
  const strict = await startServer(yaml('strict'));
  expect(strict.plugin('supervised')).toMatchObject({
    state: 'failed',
    reason: expect.stringContaining(`filesystem.read ${nowhere} cannot be granted`),
  });
  await strict.backworks.stop();

  const server = await startServer(yaml('best-effort'), { admin: 'token: t' });
  const warnings = (): string[] =>
    server.log
      .filter(({ level, message }) => level === 'warn' && /sandbox/.test(message))
      .map((line) => line.message);
  const warning = expect.stringContaining(
    `sandbox of plugin supervised is incomplete: filesystem.read ${nowhere}`,
  );
  expect(warnings()).toEqual([warning]);
  await server.backworks.restartPlugin('supervised');
  expect(warnings()).toEqual([warning, warning]);
  expect(server.plugin('supervised')).toMatchObject({
    state: 'degraded',
    reason: expect.stringContaining(`its sandbox lacks: filesystem.read ${nowhere}`),
    sandbox: { mode: 'best-effort', missing: [expect.stringContaining(nowhere)] },
  });
  const ask = async (path: string): Promise<string> =>
    (await fetch(server.adminUrl + path, { headers: { authorization: 'Bearer t' } })).text();
  expect(JSON.parse(await ask('/readyz'))).toEqual({
    status: 'ready',
    not_serving: [],
    degraded: [{ name: 'supervised', critical: false, sandbox: 'degraded' }],
  });
  expect(await ask('/metrics')).toContain('backworks_plugin_sandbox_degraded{plugin="supervised"} 1');
});

test('a post-mortem names the request', async () => {
  const server = await start(libraryCopy(), 'restart: { delay: 1ms, max_delay: 1ms }');
  const response = await fetch(`${server.url}/crash`, {
    headers: { 'x-request-id': 'the-one-that-crashed' },
  });
  const { request_id: id } = (await response.json()) as { request_id: string };
  await eventually(() => server.plugin('supervised').failures.length === 1, 'the post-mortem');
  expect(server.plugin('supervised').failures[0]).toMatchObject({
    code: 'BW_PLUGIN_CRASHED',
    signal: 'SIGSEGV',
    phase: 'process_endpoint',
    requestId: id,
    limits: { openFiles: 64 },
  });
  const logLine = (): LogLine | undefined =>
    server.log.find(({ fields }) => fields['code'] === 'BW_PLUGIN_CRASHED' && 'limits' in fields);
  await eventually(() => logLine() !== undefined, 'the log line');
  expect(logLine()?.fields).toMatchObject({
    outcome: 'crashed',
    signal: 'SIGSEGV',
    phase: 'process_endpoint',
    at: expect.stringMatching(/process_endpoint/),
    requestId: id,
    limits: server.plugin('supervised').limits,
  });
});

describe('quarantine', () => {
  const policy = 'restart: { delay: 1ms, max_delay: 1ms }\n    quarantine: { failures: 3, window: 60s }';

  async function crashThrice(library: string): Promise<void> {
    const server = await start(library, policy);
    // A request that comes while the process starts again may be refused before it reaches the plugin.
    while (server.plugin('supervised').state !== 'failed')
      expect(await server.get('/crash')).toMatchObject({ status: 503 });
    expect(server.plugin('supervised').reason).toMatch(/3 failures within 60 s, the last: .*SIGSEGV/);
    expect(await server.get('/ok')).toMatchObject({ status: 503 });
    await server.backworks.stop();
    expect(server.plugin('supervised').processes).toEqual([]);
  }

  test('after three failures the library is stopped and refused by content, and a rebuilt library starts', async () => {
    await crashThrice(libraryCopy());
    // The same bytes under another name.
    const renamed = await start(libraryCopy('renamed.so'), policy);
    expect(renamed.plugin('supervised')).toMatchObject({ state: 'failed' });
    expect(renamed.plugin('supervised').reason).toMatch(/in quarantine since .*plugin release/);
    await renamed.backworks.stop();

    // Bytes behind the sections change the content and nothing else.
    const rebuilt = libraryCopy('rebuilt.so');
    writeFileSync(rebuilt, Buffer.concat([readFileSync(rebuilt), Buffer.from('rebuilt')]));
    const server = await start(rebuilt, policy);
    expect(server.plugin('supervised')).toMatchObject({ state: 'ready' });
    expect(await server.get('/ok')).toMatchObject({ status: 200 });
    await server.backworks.stop();
  });

  test.each(['by name', 'by digest'])('is lifted %s', async (how) => {
    const library = libraryCopy();
    await crashThrice(library);
    const quarantine = await Quarantine.open(join(directory, 'cache/backworks'));
    const [entry] = await quarantine.list();
    expect(entry).toMatchObject({ plugin: 'supervised', reason: expect.stringContaining('SIGSEGV') });
    const digest = entry?.digest ?? '';
    expect(await quarantine.release('another')).toEqual([]);
    expect(await quarantine.release(digest.slice(0, 7))).toEqual([]);
    const lifted = await quarantine.release(how === 'by name' ? 'supervised' : digest.slice(0, 12));
    expect(lifted).toEqual([entry]);
    expect(await quarantine.list()).toEqual([]);
    const server = await start(library, policy);
    expect(await server.get('/ok')).toMatchObject({ status: 200 });
    await server.backworks.stop();
  });
});
