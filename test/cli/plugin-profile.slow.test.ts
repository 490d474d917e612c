import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { backworks, RunningCommand, scratch } from './command.js';

type LatencyDocument = Record<'calls' | 'mean' | 'p50' | 'p90' | 'p99' | 'p99.9' | 'max', number> & {
  bars: { from: number; to: number; calls: number }[];
};
interface HookDocument {
  hook: string;
  calls: number;
  null_answers: number;
  late: number;
  failures: { calls: number; code: string; message: string; hint: string | null } | null;
  call_us: LatencyDocument;
  plugin_us: LatencyDocument;
  host_us: LatencyDocument;
  load: { calls_per_second: number; server_cpu_us: number; plugin_cpu_us: number | null };
  out_of_memory: number;
  memory: { bytes_per_1000_calls: number; grows: boolean } | null;
}
interface ProfileDocument {
  name: string;
  isolation: string;
  requests: number;
  hooks: HookDocument[];
  not_driven: string[];
}

const PERFORMANCE = readFileSync(new URL('../../docs/performance.md', import.meta.url), 'utf8');

const directory = scratch();
afterAll(() => directory.remove());
const profile = (...args: string[]) => backworks(['plugin', 'profile', ...args], { cwd: directory.path });

async function document(...args: string[]): Promise<ProfileDocument> {
  const { code, stdout } = await profile('--json', ...args);
  expect(code).toBe(0);
  return JSON.parse(stdout) as ProfileDocument;
}

test('a leak that fills the memory within the first second is reported, whether or not the plugin survives', async () => {
  const { code, stdout } = await profile('--json', compilePlugin('leaks_fast'), '--seconds', '0.5');
  // The crashes count as failures of the plugin.
  expect(code).toBe(4);
  const { hooks } = JSON.parse(stdout) as ProfileDocument;
  const [survives, crashes] = hooks;
  expect(survives).toMatchObject({ failures: null, out_of_memory: 0, memory: { grows: true } });
  expect(crashes).toMatchObject({ failures: { code: 'BW_PLUGIN_MEMORY' }, memory: { grows: true } });
  expect(crashes?.out_of_memory).toBeGreaterThan(0);
  // Calls between the last successful allocation and the next sample count too, so the figure is below the
  // real leak.
  for (const hook of hooks) expect(hook.memory?.bytes_per_1000_calls).toBeGreaterThan(4 * 1024 ** 2);
});

test('the profile has the time, the rate and the memory growth of each hook', async () => {
  const { name, isolation, hooks } = await document(compilePlugin('leak'), '--seconds', '0.8');
  expect({ name, isolation }).toEqual({ name: 'leak', isolation: 'process' });
  expect(hooks.map(({ hook }) => hook)).toEqual(['before_request', 'process_endpoint']);
  for (const { call_us: call, plugin_us: plugin, host_us: host, load, failures } of hooks) {
    expect(failures).toBeNull();
    for (const latency of [call, plugin, host]) {
      const { p50, p90, p99, max, 'p99.9': p999 } = latency;
      expect([p50, p90, p99, p999, max]).toEqual([p50, p90, p99, p999, max].sort((a, b) => a - b));
      expect(p50).toBeGreaterThan(0);
      expect(latency.calls).toBe(call.calls);
      expect(latency.bars.reduce((sum, { calls }) => sum + calls, 0)).toBe(latency.calls);
    }
    expect(load.calls_per_second).toBeGreaterThan(0);
    expect(load.server_cpu_us).toBeGreaterThan(0);
  }
  const [quiet, leaking] = hooks;
  expect(quiet?.memory?.grows).toBe(false);
  // Slow machines make fewer calls, but each call keeps the same 256 bytes.
  expect(leaking?.memory?.grows).toBe(true);
  expect(leaking?.memory?.bytes_per_1000_calls).toBeGreaterThan(125 * 1024);
});

describe('the time of a call', () => {
  const entry = (isolation: string): string => {
    const path = compilePlugin('busy');
    const plugin = { type: 'external', path, isolation, trusted: true, timeouts: { call: '1m' } };
    return directory.write(`${isolation}.yaml`, JSON.stringify({ plugins: { busy: plugin } }));
  };

  test.each(['process', 'in-process'])('is split into the plugin and its host: %s', async (isolation) => {
    const { hooks } = await document('busy', '-c', entry(isolation), '--seconds', '0.3');
    const [idle, busy] = hooks as [HookDocument, HookDocument];
    expect(busy.plugin_us.p50).toBeGreaterThanOrEqual(2000);
    expect(idle.plugin_us.p50).toBeLessThan(busy.plugin_us.p50);
    for (const { call_us: call, plugin_us: plugin, host_us: host } of hooks) {
      expect(plugin.mean + host.mean).toBeCloseTo(call.mean, 2);
      expect(host.p50).toBeGreaterThan(0);
    }
  });

  test('does not include waiting for other calls of the run', async () => {
    const plugin = { type: 'external', path: compilePlugin('busy'), timeouts: { call: '1s' } };
    const config = directory.write('late.yaml', JSON.stringify({ plugins: { busy: plugin } }));
    // A thousand calls of 2 ms wait longer than their second, in a queue for 64.
    const { hooks } = await document('busy', '-c', config, '--seconds', '0.1', '--concurrency', '1000');
    expect(hooks.map(({ failures }) => failures)).toEqual([null, null]);
  });
});

test('a configured plugin is measured with its own configuration, requests and limits', async () => {
  const config = join(directory.path, 'backworks.yaml');
  const plugin = { type: 'external', path: compilePlugin('config_echo'), config: { mood: 'fine' } };
  writeFileSync(
    config,
    JSON.stringify({
      endpoints: { mood: { path: '/mood/{day}', methods: ['GET', 'POST'], plugin: 'echo' } },
      plugins: { echo: plugin },
    }),
  );
  const { name, requests, hooks } = await document('echo', '-c', config, '--seconds', '0.1');
  expect({ name, requests }).toEqual({ name: 'echo', requests: 4 });
  expect(hooks.map(({ hook, failures }) => [hook, failures])).toEqual([['process_endpoint', null]]);
});

test('a terminal gets a table, and the chart has a panel for each hook', async () => {
  const svg = join(directory.path, 'latency.svg');
  const { code, stdout, stderr } = await profile(compilePlugin('echo'), '--seconds', '0.1', '--svg', svg);
  expect(code).toBe(0);
  expect(stderr).toBe(
    'measuring before_request …\nmeasuring process_endpoint …\nmeasuring after_response …\n',
  );
  const lines = stdout.trimEnd().split('\n');
  expect(lines[0]).toBe('echo 1.0.0 (isolation: process, instances: 1)');
  const remark = '  └ ';
  expect(lines.filter((line) => line.length > 100 && !line.startsWith(remark))).toEqual([]);
  expect(lines[2]).toMatch(/^HOOK +TIME +P50 +P90 +P99 +P99.9 +DISTRIBUTION$/);
  expect(
    lines.slice(3, 12).map((line) =>
      line
        .trim()
        .split(/ +/)
        .slice(0, line.startsWith(' ') ? 1 : 2),
    ),
  ).toEqual(
    ['before_request', 'process_endpoint', 'after_response'].flatMap((hook) => [
      [hook, 'call'],
      ['plugin'],
      ['host'],
    ]),
  );
  expect(lines[13]).toMatch(/^HOOK +CALLS\/S +SERVER CPU +PLUGIN CPU +MEMORY$/);
  const picture = readFileSync(svg, 'utf8');
  expect(picture).toMatch(/^<svg [^>]*viewBox="0 0 840 \d+"/);
  for (const hook of ['before_request', 'process_endpoint', 'after_response'])
    expect(picture).toContain(`>${hook}: `);
  for (const share of ['call', 'plugin', 'host'])
    expect(picture.split(`<rect class="${share}"`).length).toBeGreaterThan(3);
  expect(picture).not.toMatch(/NaN|Infinity/);
});

test('the documentation shows the current table and the keys of the JSON', async () => {
  const section = PERFORMANCE.slice(PERFORMANCE.indexOf('## Your own plugin')).replace(/ +/g, ' ');
  const run = [compilePlugin('echo'), '--seconds', '0.1'];
  const { stdout } = await profile(...run);
  for (const titles of stdout.match(/^HOOK .*/gm) ?? [])
    expect(section).toContain(titles.replace(/ +/g, ' '));
  const keys = new Set<string>();
  const whole = await document(...run);
  JSON.stringify(whole, (key, value: unknown) => (/^[a-z]/.test(key) && keys.add(key), value));
  expect(keys.size).toBeGreaterThan(25);
  for (const key of keys) expect(section).toMatch(new RegExp(`\\b${key.replace('.', '\\.')}\\b`));
});

test('failed calls are reported, and the command exits with 4', async () => {
  const { code, stdout } = await profile('--json', compilePlugin('crash_segv'), '--seconds', '0.1');
  expect(code).toBe(4);
  const { hooks } = JSON.parse(stdout) as ProfileDocument;
  expect(hooks.some(({ failures }) => failures?.code === 'BW_PLUGIN_CRASHED')).toBe(true);
});

test('a plugin slower than its deadline is measured, and the deadline is mentioned', async () => {
  const plugin = { type: 'external', path: compilePlugin('busy'), timeouts: { call: '1ms' } };
  const config = directory.write('slow.yaml', JSON.stringify({ plugins: { busy: plugin } }));
  const { stdout } = await profile('busy', '-c', config, '--seconds', '0.2');
  expect(stdout).toMatch(
    /([\d,]+) of \1 calls took longer than timeouts\.call \(1 ms\); the plugin's own function took up to [\d.]+ m?s/,
  );
});

test('for a plugin too slow for its deadline, the report names the key to raise', async () => {
  const { code, stdout } = await profile(compilePlugin('hang'), '--seconds', '0.1');
  expect(code).toBe(4);
  expect(stdout).toMatch(
    /└ 1 of 1 calls failed, the first: .*1000 ms — raise timeouts\.call if it needs longer/,
  );
});

test('a plugin that answers no request is reported', async () => {
  const recording = directory.write('null.jsonl', '{"path": "/null"}\n');
  const run = ['--requests', recording, '--seconds', '0.1'];
  expect((await profile(compilePlugin('owned_strings'), ...run)).stdout).not.toContain(
    'none of the requests',
  );
  const { stdout } = await profile(compilePlugin('answers'), ...run);
  expect(stdout).toContain(
    'the plugin answered none of the requests: pass recorded requests with --requests',
  );
});

test('Ctrl-C stops the run early and prints the results so far', async () => {
  const command = new RunningCommand([
    'plugin',
    'profile',
    compilePlugin('echo'),
    '--seconds',
    '3600',
    '--json',
  ]);
  await command.until(
    () => (command.stderr.includes('measuring before_request') ? true : undefined),
    'a hook',
  );
  command.child.kill('SIGINT');
  const { code, stdout } = await command.finished;
  expect(code).toBe(0);
  const { hooks, not_driven: notDriven } = JSON.parse(stdout) as ProfileDocument;
  expect(hooks.map(({ hook }) => hook)).toEqual(['before_request']);
  expect(notDriven).toEqual(['process_endpoint', 'after_response']);
});

test.each([
  [['nobody', '-c', 'missing.yaml'], 'BW_CONFIG_NOT_FOUND'],
  [['./lib.so', '--seconds', 'soon'], 'BW_USAGE'],
  [['./lib.so', '--concurrency', '0'], 'BW_USAGE'],
  [['./missing.so'], 'BW_LIBRARY_NOT_FOUND'],
  [['./missing.so', '--svg', './missing/latency.svg'], 'BW_USAGE'],
])('%j: %s', async (args, expected) => {
  const { code, stderr } = await profile(...args);
  expect(code).not.toBe(0);
  expect(stderr).toContain(`${expected}: `);
});

test('an unusable recording is rejected before any measurement', async () => {
  const recording = join(directory.path, 'requests.jsonl');
  writeFileSync(recording, '{"path": "/a"}\n{"path": 1}\n');
  const { code, stderr } = await profile(compilePlugin('echo'), '--requests', recording);
  expect(code).toBe(2);
  expect(stderr).toContain(`BW_PROFILE_REQUESTS: ${recording}:2 has no path`);
});
