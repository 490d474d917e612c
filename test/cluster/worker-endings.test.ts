import { expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compilePlugin } from '../fixtures/compile.js';
import { Cluster, directory, gone, Load, type PluginView } from './cluster.js';

const library = compilePlugin('reconfigurable');
const yaml = (server = ''): string => `
server: { port: 0, workers: 2, ${server} }
admin: { port: 0, token: t }
endpoints: { one: { path: /one, plugin: one } }
plugins: { one: { path: ${library}, config: { n: 1 }, timeouts: { call: 20s } } }
`;
const inProcess = (name: string, config = '{}'): string => `
server: { port: 0, workers: 2 }
admin: { port: 0, token: t }
endpoints:
  one: { path: /one, plugin: one }
  static: { path: /static, response: { status: 200, body: ok } }
plugins: { one: { path: ${compilePlugin(name)}, isolation: in-process, trusted: true, config: ${config} } }
`;
interface WorkerView {
  worker: number;
  failures: number;
  last_end: { how: string } | null;
}

const CALLS = /backworks_plugin_call_duration_seconds_count\{.*hook="process_endpoint".*\}/;

test('of a worker that is killed under load only its own connections fail; it is replaced', async () => {
  const cluster = await Cluster.launch(yaml());
  const { processes } = await cluster.plugin();
  const runnerOf = new Map<number, number>();
  const refused: string[] = [];
  const load = new Load(`${cluster.url}/one`, 16, ({ status, text }, lane) => {
    if (status === 200) runnerOf.set(lane, (JSON.parse(text) as { pid: number }).pid);
    else refused.push(text);
  });
  await load.more(500);
  // Never fewer than before, and never more than there were.
  let counted = await cluster.metric(CALLS);
  let over = false;
  const scrapes = (async () => {
    while (!over) {
      const now = await cluster.metric(CALLS);
      expect(now).toBeGreaterThanOrEqual(counted);
      counted = now;
    }
  })();
  const [first = 0] = cluster.workers();
  const before = new Map(runnerOf);
  const broken = (): number[] => [...new Set(load.broken)];
  process.kill(first, 'SIGKILL');
  const { worker } = await cluster.logged(/^worker \d was ended by SIGKILL; it is replaced$/);
  const lost = processes.filter((process) => process.worker === worker).map(({ pid }) => pid);
  const { workers } = JSON.parse((await cluster.admin('/plugins')).text) as { workers: WorkerView[] };
  const view = workers.find((one) => one.worker === worker);
  expect([view?.failures, view?.last_end?.how]).toEqual([1, 'was ended by SIGKILL']);
  await load.more(200);
  await cluster.logged(/^worker \d serves again$/);
  await load.more(200);
  over = true;
  await Promise.all([scrapes, load.stop()]);

  expect(refused).toEqual([]);
  expect(broken().length).toBeGreaterThan(0);
  for (const lane of broken()) expect(lost).toContain(before.get(lane));
  const calls = await cluster.metric(CALLS);
  expect(calls).toBeGreaterThanOrEqual(counted);
  expect(calls).toBeLessThanOrEqual(load.total + load.broken.length);
  expect(await cluster.metric(/backworks_worker_failures_total/)).toBe(1);
  expect(await cluster.metric(/backworks_workers/)).toBe(2);
  expect(cluster.times(/it is replaced$/)).toBe(1);
  await gone(lost);
  await cluster.stop();
}, 120_000);

test('a worker that cannot start ends the start, with the reason', async () => {
  const flag = directory.write('abort-at-start', '');
  const { command } = Cluster.run(inProcess('aborts_if', `{ abort_if: ${flag} }`));
  const { code, stderr } = await command.finished;
  expect(code).toBe(1);
  expect(stderr.match(/BW_SERVER_WORKER: worker \d was ended by SIGABRT/g)).toHaveLength(1);
});

test.concurrent(
  'a worker that ends eight times in a row is tried again while another serves, and ends the server when none does',
  async () => {
    const flag = join(directory.path, 'abort-later');
    const cluster = await Cluster.launch(inProcess('aborts_if', `{ abort_if: ${flag} }`));
    const family = cluster.family();
    writeFileSync(flag, '');
    const [first = 0, second = 0] = cluster.workers();
    process.kill(first, 'SIGKILL');
    await cluster.command.until(
      () =>
        cluster.times(/^worker \d does not start: worker \d was ended by SIGABRT$/) >= 8 ? true : undefined,
      'eight starts',
    );
    expect((await cluster.request()).status).toBe(200);
    process.kill(second, 'SIGKILL');
    const { code, stderr } = await cluster.command.finished;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /BW_SERVER_WORKER: no worker is left: worker \d ended \d+ times in a row, the last time: .*SIGABRT/,
    );
    await gone(family);
  },
  60_000,
);

test('a worker that is blocked ends with a primary that is killed', async () => {
  const cluster = await Cluster.launch(inProcess('hang'));
  const family = cluster.family();
  const blocked = cluster.request('/one').catch(() => null);
  // The other one answers, and what the blocked one has is not given to anybody.
  expect((await cluster.request('/static')).status).toBe(200);
  process.kill(cluster.pid, 'SIGKILL');
  await gone(family);
  await blocked;
});

test('when the primary is killed nothing of it stays', async () => {
  const cluster = await Cluster.launch(yaml());
  const family = cluster.family();
  expect(family.length).toBeGreaterThanOrEqual(5);
  process.kill(cluster.pid, 'SIGKILL');
  await gone(family);
});

test.concurrent(
  'a worker that is blocked for good is ended and replaced',
  async () => {
    const cluster = await Cluster.launch(inProcess('hang'));
    const blocked = cluster.request('/one').catch(() => null);
    await cluster.logged(/^worker \d did not answer for 30 s and was ended by SIGKILL; it is replaced$/);
    await cluster.logged(/^worker \d serves again$/);
    expect(await blocked).toBeNull();
    const view: PluginView = await cluster.plugin();
    expect(view.state).toBe('ready');
    await cluster.stop();
  },
  120_000,
);
