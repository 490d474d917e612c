import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../../dist/index.js';
import { InProcessPlugin } from '../../../dist/native/in-process/in-process.js';
import type { CallTicket } from '../../../dist/call-ticket.js';
import type { NativePluginOptions, PluginLogLine } from '../../../dist/native/plugin.js';
import { sandboxOf } from '../../../dist/plugins/sandbox-of.js';
import { compilePlugin } from '../../fixtures/compile.js';

function optionsFor(fixture: string, lines: PluginLogLine[] = []): NativePluginOptions {
  const [plugin] = parseConfig('plugins: { p: { path: /x, isolation: in-process, trusted: true } }', {
    directory: '/',
  }).config.plugins;
  if (plugin === undefined) throw new Error('no plugin');
  return {
    name: 'p',
    libraryPath: compilePlugin(fixture),
    configJson: '{}',
    sandbox: sandboxOf(plugin),
    environment: {},
    instances: 1,
    concurrency: 1,
    initializeTimeoutMs: 1000,
    shutdownTimeoutMs: 1000,
    replyBytesMax: 100,
    logBytesPerSecond: 65_536,
    recycleCalls: 0,
    recycleMemoryBytes: 0,
    idleCpuPercent: 0,
    callCpuMs: 0,
    restart: plugin.restart,
    events: {
      log: (line) => void lines.push(line),
      metric: () => undefined,
      failed: () => undefined,
      recovered: () => undefined,
      refused: () => undefined,
    },
  };
}

const within = (milliseconds: number): CallTicket => ({
  deadlineAtMs: performance.now() + milliseconds,
  requestId: null,
  callers: [],
  trace: null,
  onStop: () => undefined,
});

test('a slow call fails only when it returns', async () => {
  const plugin = await InProcessPlugin.open(optionsFor('answers'));
  await expect(plugin.call('process_endpoint', ['/sleep', 'GET', '60'], within(20))).rejects.toMatchObject({
    code: 'BW_PLUGIN_TIMEOUT',
    phase: 'process_endpoint',
  });
  expect(await plugin.call('process_endpoint', ['/', 'GET', '1'], within(1000))).toBe('/|GET|1');
});

test('a call reports how long it spent in the plugin', async () => {
  const plugin = await InProcessPlugin.open(optionsFor('answers'));
  let reportedNs = 0;
  const ticket = { ...within(1000), report: (ownNs: number) => (reportedNs = ownNs) };
  await plugin.call('process_endpoint', ['/sleep', 'GET', '30'], ticket);
  expect(reportedNs).toBeGreaterThanOrEqual(30e6);
});

test('the length of an answer is counted in bytes', async () => {
  const plugin = await InProcessPlugin.open(optionsFor('answers'));
  // 94 characters with the separators; 40 of them take three bytes each.
  const text = '€'.repeat(40) + 'x'.repeat(48);
  await expect(plugin.call('process_endpoint', ['/', 'GET', text], within(1000))).rejects.toMatchObject({
    code: 'BW_PLUGIN_BAD_RESPONSE',
  });
});

describe('the extension table', () => {
  test('a library that needs a newer ABI is refused', async () => {
    await expect(InProcessPlugin.open(optionsFor('newer_abi'))).rejects.toMatchObject({
      code: 'BW_PLUGIN_ABI',
      message: expect.stringContaining('needs plugin ABI 2'),
    });
  });

  test('a library that refuses the host fails with the library’s reason', async () => {
    await expect(InProcessPlugin.open(optionsFor('refuses_host'))).rejects.toMatchObject({
      code: 'BW_PLUGIN_ABI',
      message: expect.stringContaining('this host has no clock tower'),
    });
  });

  test('members beyond the table’s own size are not read', async () => {
    const { description } = await InProcessPlugin.open(optionsFor('short_extensions'));
    expect([...description.functions].sort()).toEqual(['before_request', 'manifest']);
    expect(description.manifest).toBe('{"priority":7}');
  });

  test('members that this host does not know are ignored', async () => {
    const plugin = await InProcessPlugin.open(optionsFor('long_extensions'));
    expect(await plugin.call('call', ['x', 'null'], within(1000))).toBe('{}');
  });
});

/** Runs in a separate process, because the signals would end it. */
const HEARS = `
  import { InProcessPlugin } from ${JSON.stringify(moduleUrl('native/in-process/in-process.js'))};
  const lines = [];
  const events = { log: ({ level, text }) => lines.push(level + ': ' + text) };
  const heard = [];
  for (const signal of ['SIGTERM', 'SIGUSR2']) process.on(signal, () => heard.push(signal));
  const plugin = await InProcessPlugin.open({ ...JSON.parse(process.argv[1]), events });
  const ticket = { deadlineAtMs: Infinity, requestId: null, callers: [], trace: null, onStop() {} };
  const answer = await plugin.call('process_endpoint', ['/', 'GET', 'null'], ticket);
  for (const signal of ['SIGTERM', 'SIGUSR2']) process.kill(process.pid, signal);
  while (heard.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  console.log(JSON.stringify({ lines, heard: heard.sort(), answer: JSON.parse(answer) }));
`;

test('the server keeps its signal handlers, and plugins may handle other signals', () => {
  const args = ['--input-type=module', '-e', HEARS, JSON.stringify(optionsFor('takes_signals'))];
  const output = execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 10_000 });
  const text = (signals: string): string =>
    `warn: plugin p replaced the server's handlers of ${signals}; they were put back`;
  expect(JSON.parse(output)).toEqual({
    lines: [text('SIGUSR2'), text('SIGINT, SIGTERM')],
    heard: ['SIGTERM', 'SIGUSR2'],
    answer: { keeps_sigurg: true },
  });
});

test('a library calls its own functions when the server exports functions of the same name', async () => {
  const plugin = await InProcessPlugin.open(optionsFor('own_openssl'));
  const answer = await plugin.call('process_endpoint', ['/', 'GET', '1'], within(1000));
  expect(answer).toBe('{"version":"the library\'s own"}');
});

/** Runs in a separate process, because an unloaded library would crash it. */
const COLLECTS = `
  import { InProcessPlugin } from ${JSON.stringify(moduleUrl('native/in-process/in-process.js'))};
  const options = JSON.parse(process.argv[1]);
  const events = { log() {}, metric() {}, failed() {}, recovered() {}, refused() {} };
  const ticket = () => ({ deadlineAtMs: Infinity, requestId: null, callers: [], trace: null, onStop() {} });
  let hosts = 0;
  for (let round = 0; round < 50; round += 1) {
    const plugin = await InProcessPlugin.open({ ...options, events: { ...events, metric: () => (hosts += 1) } });
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc();
    await plugin.call('process_endpoint', ['/', 'GET', 'null'], ticket());
  }
  console.log('calls through the host table:', hosts);
`;

test('garbage collection unloads no library and frees no host table', () => {
  const options = JSON.stringify(optionsFor('host_services'));
  const args = ['--expose-gc', '--input-type=module', '-e', COLLECTS, options];
  const output = execFileSync(process.execPath, args, { encoding: 'utf8' });
  expect(output.trim()).toBe('calls through the host table: 50');
});

function moduleUrl(path: string): string {
  return new URL(`../../../dist/${path}`, `file://${fileURLToPath(import.meta.url)}`).href;
}
