import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { backworks, scratch } from './command.js';

interface HookDocument {
  hook: string;
  latency_us: Record<string, number> & { bars: { from: number; to: number; calls: number }[] };
  load: { calls_per_second: number; server_cpu_us: number; plugin_cpu_us: number | null };
  memory: { bytes_per_1000_calls: number; grows: boolean } | null;
  failures: { calls: number; code: string; message: string } | null;
}
interface ProfileDocument {
  name: string;
  isolation: string;
  requests: number;
  hooks: HookDocument[];
}

const directory = scratch();
afterAll(() => directory.remove());
const profile = (...args: string[]) => backworks(['plugin', 'profile', ...args], { cwd: directory.path });

async function document(...args: string[]): Promise<ProfileDocument> {
  const { code, stdout } = await profile('--json', ...args);
  expect(code).toBe(0);
  return JSON.parse(stdout) as ProfileDocument;
}

test('tells of each hook how long it takes, how often it can be called and what it keeps', async () => {
  const { name, isolation, hooks } = await document(compilePlugin('leak'), '--seconds', '0.8');
  expect({ name, isolation }).toEqual({ name: 'leak', isolation: 'process' });
  expect(hooks.map(({ hook }) => hook)).toEqual(['before_request', 'process_endpoint']);
  for (const { latency_us: latency, load, failures } of hooks) {
    expect(failures).toBeNull();
    const order = ['p50', 'p90', 'p99', 'p99.9', 'max'].map((key) => latency[key] as number);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order[0]).toBeGreaterThan(0);
    expect(latency.bars.reduce((sum, { calls }) => sum + calls, 0)).toBe(latency['calls']);
    expect(load.calls_per_second).toBeGreaterThan(0);
    expect(load.server_cpu_us).toBeGreaterThan(0);
  }
  const [quiet, leaking] = hooks;
  expect(quiet?.memory?.grows).toBe(false);
  // Slow machines make fewer calls and keep less; 256 bytes of each stay what they are.
  expect(leaking?.memory?.grows).toBe(true);
  expect(leaking?.memory?.bytes_per_1000_calls).toBeGreaterThan(125 * 1024);
});

test('a plugin of the configuration is driven with its own configuration, requests and limits', async () => {
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

test('people read a table; the picture has a panel for each hook', async () => {
  const svg = join(directory.path, 'latency.svg');
  const { code, stdout, stderr } = await profile(compilePlugin('echo'), '--seconds', '0.1', '--svg', svg);
  expect(code).toBe(0);
  expect(stderr).toBe('driving before_request …\ndriving process_endpoint …\ndriving after_response …\n');
  const lines = stdout.trimEnd().split('\n');
  expect(lines[0]).toBe('echo 1.0.0: process, 1 process');
  expect(lines[1]).toMatch(/^HOOK +P50 +P90 +P99 +P99.9 +LATENCY +CALLS\/S +SERVER CPU +PLUGIN CPU +MEMORY$/);
  expect(lines.slice(2, 5).map((line) => line.split(' ')[0])).toEqual([
    'before_request',
    'process_endpoint',
    'after_response',
  ]);
  const picture = readFileSync(svg, 'utf8');
  expect(picture).toMatch(/^<svg [^>]*viewBox="0 0 840 \d+"/);
  for (const hook of ['before_request', 'process_endpoint', 'after_response'])
    expect(picture).toContain(`>${hook}: `);
  expect(picture).not.toMatch(/NaN|Infinity/);
});

test('a plugin whose calls fail is told of, and the exit code says so', async () => {
  const { code, stdout } = await profile('--json', compilePlugin('crash_segv'), '--seconds', '0.1');
  expect(code).toBe(4);
  const { hooks } = JSON.parse(stdout) as ProfileDocument;
  expect(hooks.some(({ failures }) => failures?.code === 'BW_PLUGIN_CRASHED')).toBe(true);
});

test.each([
  [['nobody', '-c', 'missing.yaml'], 'BW_CONFIG_NOT_FOUND'],
  [['./lib.so', '--seconds', 'soon'], 'BW_USAGE'],
  [['./lib.so', '--concurrency', '0'], 'BW_USAGE'],
  [['./missing.so'], 'BW_LIBRARY_NOT_FOUND'],
])('%j: %s', async (args, expected) => {
  const { code, stderr } = await profile(...args);
  expect(code).not.toBe(0);
  expect(stderr).toContain(`${expected}: `);
});

test('a recording that cannot be used is refused before anything is driven', async () => {
  const recording = join(directory.path, 'requests.jsonl');
  writeFileSync(recording, '{"path": "/a"}\n{"path": 1}\n');
  const { code, stderr } = await profile(compilePlugin('echo'), '--requests', recording);
  expect(code).toBe(2);
  expect(stderr).toContain(`BW_PROFILE_REQUESTS: ${recording}:2 has no path`);
});
