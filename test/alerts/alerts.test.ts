import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { createTestServer, eventually, startServer, type TestServer } from '../fixtures/server.js';
import { Receiver } from './receiver.js';

const TOKEN = 'token-of-the-webhook';
const SECRET_PATH = 'path-of-the-webhook';

const directories: string[] = [];
let directory = '';
let receiver: Receiver;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'backworks-alerts-'));
  chmodSync(directory, 0o755);
  directories.push(directory);
  process.env['XDG_CACHE_HOME'] = join(directory, 'cache');
  receiver = await Receiver.open();
  process.env['ALERT_WEBHOOK'] = `${receiver.url}/${SECRET_PATH}`;
  process.env['ALERT_TOKEN'] = TOKEN;
});
afterEach(() => receiver.close());
afterAll(() => directories.forEach((path) => rmSync(path, { recursive: true, force: true })));

/** supervised.c at /ok and /crash, with a health file and a file that makes the plugin refuse to start. */
function configuration(alerts: string, policy = ''): string {
  const library = join(directory, 'supervised.so');
  copyFileSync(compilePlugin('supervised'), library);
  return `
name: shop
version: 1.2.3
alerts:
  webhook: \${ALERT_WEBHOOK}
  headers: { authorization: "Bearer \${ALERT_TOKEN}" }
  ${alerts}
endpoints:
  ok: { path: /ok, plugin: supervised }
  crash: { path: /crash, plugin: supervised }
plugins:
  supervised:
    path: ${library}
    config: { refuse_if: ${join(directory, 'refuse')}, health: ${join(directory, 'health')} }
    permissions: { filesystem: { read: [${directory}] } }
    circuit_breaker: { failures: 1000, window: 1s }
    restart: { delay: 10ms, max_delay: 50ms }
    ${policy}
`;
}

const start = (alerts: string, policy?: string): Promise<TestServer> =>
  startServer(configuration(alerts, policy), { admin: 'token: t' });

async function metrics(server: TestServer): Promise<string> {
  const response = await fetch(`${server.adminUrl}/metrics`, { headers: { authorization: 'Bearer t' } });
  return response.text();
}

describe('after a crash', () => {
  test('the webhook receives the post-mortem, then the recovery, and no secrets', async () => {
    const server = await start('min_interval: 1h');
    const response = await server.get('/crash');
    const { request_id: requestId } = response.body as { request_id: string };
    await eventually(() => receiver.received.length === 2, 'two alerts');
    const [crashed, recovered] = receiver.received;
    expect(crashed).toMatchObject({
      path: `/hook/${SECRET_PATH}`,
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    });
    expect(crashed?.alert).toEqual({
      version: 1,
      event: 'degraded',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      server: {
        name: 'shop',
        version: '1.2.3',
        backworks: expect.stringMatching(/^\d+\.\d+/),
        host: expect.stringMatching(/./),
      },
      plugin: 'supervised',
      critical: false,
      from: 'ready',
      to: 'degraded',
      reason: expect.stringMatching(/SIGSEGV/),
      code: 'BW_PLUGIN_CRASHED',
      changes: 1,
      failure: {
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        outcome: 'crashed',
        code: 'BW_PLUGIN_CRASHED',
        phase: 'process_endpoint',
        signal: 'SIGSEGV',
        exit_status: null,
        at: expect.stringMatching(/^supervised\.so\+0x[0-9a-f]+ \(process_endpoint at supervised\.c:\d+\)$/),
        system_call: null,
        request_id: requestId,
      },
    });
    expect(recovered?.alert).toMatchObject({ event: 'recovered', from: 'degraded', to: 'ready', code: null });
    expect(await metrics(server)).toContain('backworks_alerts_total{result="delivered"} 2');

    const seen = await fetch(`${server.adminUrl}/plugins`, { headers: { authorization: 'Bearer t' } });
    for (const text of [JSON.stringify(server.log), await seen.text()]) {
      expect(text).not.toContain(TOKEN);
      expect(text).not.toContain(SECRET_PATH);
    }
  });

  test('the alert has the members that docs/alerts.md shows, in the same order', async () => {
    const text = readFileSync(fileURLToPath(new URL('../../docs/alerts.md', import.meta.url)), 'utf8');
    const [example = ''] = /(?<=```json\n)[\s\S]*?(?=```)/.exec(text) ?? [];
    const server = await start('');
    await server.get('/crash');
    await eventually(() => receiver.received.length > 0, 'the alert');
    expect(shape(JSON.parse(example))).toEqual(shape(receiver.received[0]?.alert));
  });
});

function shape(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return 'value';
  return Object.entries(value).map(([name, member]) => [name, shape(member)]);
}

test('an alert is sent when a critical plugin fails to start and the server exits', async () => {
  writeFileSync(join(directory, 'refuse'), '');
  const { backworks } = createTestServer(configuration('', 'critical: true'));
  await expect(backworks.start()).rejects.toThrow(/refused to initialize/);
  expect(receiver.received.map(({ alert }) => alert)).toMatchObject([
    { event: 'failed', critical: true, from: 'loading', to: 'failed', code: 'BW_PLUGIN_INITIALIZE' },
  ]);
});

test('quarantine is reported at once within the interval, and the release at the latest when the server stops', async () => {
  const server = await start('min_interval: 1h', 'quarantine: { failures: 2, window: 60s }');
  await server.get('/crash');
  await eventually(() => server.plugin('supervised').state === 'ready', 'ready');
  await server.get('/crash');
  await eventually(() => receiver.events.includes('quarantined'), 'quarantine');
  expect(receiver.received.at(-1)?.alert).toMatchObject({
    to: 'failed',
    code: 'BW_PLUGIN_QUARANTINED',
    reason: expect.stringMatching(/2 failures within 60 s.*plugin release/),
    failure: { signal: 'SIGSEGV' },
  });
  await server.backworks.releasePlugin('supervised');
  // One recovery was already sent within this hour, so the next one waits until the hour or the server ends.
  await server.backworks.stop();
  expect(receiver.received.at(-1)?.alert).toMatchObject({ event: 'recovered', to: 'ready' });
});

describe('a plugin that flaps', () => {
  async function flap(server: TestServer, times: number): Promise<void> {
    for (let time = 0; time < times; time += 1) {
      writeFileSync(join(directory, 'health'), '3');
      await eventually(() => server.plugin('supervised').state === 'degraded', 'degraded');
      rmSync(join(directory, 'health'));
      await eventually(() => server.plugin('supervised').state === 'ready', 'ready');
    }
  }

  test('causes one alert at once, and one with the last state when the server stops', async () => {
    const server = await start('min_interval: 1h', 'health: { interval: 10ms }');
    await flap(server, 5);
    await server.backworks.stop();
    // The first degradation and recovery are sent at once, the other 8 changes together.
    expect(receiver.received.map(({ alert }) => [alert.event, alert.changes])).toEqual([
      ['degraded', 1],
      ['recovered', 1],
      ['recovered', 8],
    ]);
    expect(receiver.received.map(({ alert }) => [alert.from, alert.to])).toEqual([
      ['ready', 'degraded'],
      ['degraded', 'ready'],
      ['degraded', 'ready'],
    ]);
    expect(receiver.received[0]?.alert).toMatchObject({
      reason: 'health check says degraded',
      code: null,
      failure: null,
    });
  });

  test('causes a last alert with its current state when the interval ends', async () => {
    const server = await start('min_interval: 200ms', 'health: { interval: 10ms }');
    await flap(server, 4);
    writeFileSync(join(directory, 'health'), '3');
    const reported = (): number => receiver.received.reduce((sum, { alert }) => sum + alert.changes, 0);
    await eventually(() => reported() >= 9, 'all changes');
    expect(reported()).toBe(9);
    expect(receiver.received.at(-1)?.alert.to).toBe('degraded');
  });
});

test('events that alerts.on does not list are not sent', async () => {
  const server = await start('on: [failed, recovered]', 'quarantine: { failures: 0 }');
  await server.get('/crash');
  await eventually(() => server.plugin('supervised').state === 'ready', 'ready');
  writeFileSync(join(directory, 'refuse'), '');
  await server.get('/crash');
  await eventually(() => server.plugin('supervised').state === 'failed', 'failed');
  rmSync(join(directory, 'refuse'));
  await eventually(() => receiver.events.includes('recovered'), 'the recovery');
  expect(receiver.events).toEqual(['failed', 'recovered']);
});

test('an alert is sent for a plugin that is degraded from its start', async () => {
  writeFileSync(join(directory, 'health'), '3');
  await start('', 'health: { interval: 10ms }');
  await eventually(() => receiver.received.length === 1, 'the alert');
  expect(receiver.received[0]?.alert).toMatchObject({ event: 'degraded', from: 'ready', to: 'degraded' });
});

describe('a webhook that does not answer', () => {
  test('delays no request; its alerts are dropped when the server stops', async () => {
    receiver.answer = null;
    const server = await start('timeout: 1h');
    await server.get('/crash');
    await eventually(() => receiver.received.length === 1, 'the request');
    expect(await server.get('/ok')).toMatchObject({ status: 200 });
    await server.backworks.stop();
    const lines = server.log.filter(({ message }) => message.startsWith('alert dropped'));
    expect(lines.map(({ message }) => message)).toEqual([
      'alert dropped: the webhook did not accept event "degraded" of plugin supervised',
      'alert dropped: the webhook did not accept event "recovered" of plugin supervised',
    ]);
  });

  test('is logged as a failed delivery after the timeout', async () => {
    receiver.answer = null;
    const server = await start('timeout: 20ms\n  retry: { attempts: 2, delay: 1ms }');
    await server.get('/crash');
    await eventually(() => receiver.received.length === 4, 'two tries of two alerts');
    await server.backworks.stop();
    const errors = server.log.filter(({ message }) => message.startsWith('alerts cannot be delivered to'));
    expect(errors.map(({ message }) => message)).toEqual([
      `alerts cannot be delivered to http://127.0.0.1:${receiver.port}: no answer within 20 ms; the next alerts are still tried`,
    ]);
  });
});

test('an outage of the webhook is logged once, and alerts arrive again when it is back', async () => {
  await receiver.close();
  const server = await start('min_interval: 1ms\n  retry: { attempts: 2, delay: 1ms }');
  const lines = (pattern: RegExp): number => server.log.filter(({ message }) => pattern.test(message)).length;
  for (let crash = 0; crash < 3; crash += 1) {
    await server.get('/crash');
    await server.get('/ok');
    await eventually(() => server.plugin('supervised').state === 'ready', 'ready');
  }
  await eventually(() => lines(/^alerts cannot be delivered to/) === 1, 'the outage');
  receiver = await Receiver.open(receiver.port);
  for (let crash = 0; receiver.received.length === 0 && crash < 5; crash += 1) {
    await server.get('/crash');
    await server.get('/ok');
    await eventually(() => server.plugin('supervised').state === 'ready', 'ready');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await eventually(() => lines(/^alerts are delivered to .* again$/) === 1, 'the end of the outage');
  expect(lines(/^alerts cannot be delivered to/)).toBe(1);
  expect(await metrics(server)).toMatch(/backworks_alerts_total\{result="failed"\} [1-9]/);
});
