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

test('when a worker is killed under load, only its own connections fail and a replacement starts', async () => {
  const cluster = await Cluster.launch(yaml());
  const { processes } = await cluster.plugin();
  const runnerOf = new Map<number, number>();
  const refused: string[] = [];
  const load = new Load(`${cluster.url}/one`, 16, ({ status, text }, lane) => {
    if (status === 200) runnerOf.set(lane, (JSON.parse(text) as { pid: number }).pid);
    else refused.push(text);
  });
  await load.more(500);
  // The counter never goes down, and never exceeds the number of requests.
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
  const { worker } = await cluster.logged(/^worker \d was killed by SIGKILL; starting a replacement$/);
  const lost = processes.filter((process) => process.worker === worker).map(({ pid }) => pid);
  const { workers } = JSON.parse((await cluster.admin('/plugins')).text) as { workers: WorkerView[] };
  const view = workers.find((one) => one.worker === worker);
  expect([view?.failures, view?.last_end?.how]).toEqual([1, 'was killed by SIGKILL']);
  await load.more(200);
  await cluster.logged(/^worker \d is serving again$/);
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
  expect(cluster.times(/starting a replacement$/)).toBe(1);
  await gone(lost);
  await cluster.stop();
}, 120_000);

test('when a worker fails to start, the server exits with the reason', async () => {
  const flag = directory.write('abort-at-start', '');
  const { command } = Cluster.run(inProcess('aborts_if', `{ abort_if: ${flag} }`));
  const { code, stderr } = await command.finished;
  expect(code).toBe(1);
  expect(stderr.match(/BW_SERVER_WORKER: worker \d was killed by SIGABRT/g)).toHaveLength(1);
});

test.concurrent(
  'after eight quick exits a worker is restarted while another worker serves; without one the server exits',
  async () => {
    const flag = join(directory.path, 'abort-later');
    const cluster = await Cluster.launch(inProcess('aborts_if', `{ abort_if: ${flag} }`));
    const family = cluster.family();
    writeFileSync(flag, '');
    const [first = 0, second = 0] = cluster.workers();
    process.kill(first, 'SIGKILL');
    await cluster.command.until(
      () =>
        cluster.times(/^worker \d failed to start: worker \d was killed by SIGABRT$/) >= 8 ? true : undefined,
      'eight starts',
    );
    expect((await cluster.request()).status).toBe(200);
    process.kill(second, 'SIGKILL');
    const { code, stderr } = await cluster.command.finished;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /BW_SERVER_WORKER: no worker is running: worker \d exited \d+ times in a row; last failure: .*SIGABRT/,
    );
    await gone(family);
  },
  60_000,
);

test('a blocked worker exits when its primary is killed', async () => {
  const cluster = await Cluster.launch(inProcess('hang'));
  const family = cluster.family();
  const blocked = cluster.request('/one').catch(() => null);
  // The other worker still answers. Requests of the blocked worker are not handed over.
  expect((await cluster.request('/static')).status).toBe(200);
  process.kill(cluster.pid, 'SIGKILL');
  await gone(family);
  await blocked;
});

test('when the primary is killed, all workers and plugin processes end', async () => {
  const cluster = await Cluster.launch(yaml());
  const family = cluster.family();
  expect(family.length).toBeGreaterThanOrEqual(5);
  process.kill(cluster.pid, 'SIGKILL');
  await gone(family);
});

test.concurrent(
  'a worker that stays blocked is killed and replaced',
  async () => {
    const cluster = await Cluster.launch(inProcess('hang'));
    const blocked = cluster.request('/one').catch(() => null);
    await cluster.logged(
      /^worker \d did not answer for 30 s and was killed by SIGKILL; starting a replacement$/,
    );
    await cluster.logged(/^worker \d is serving again$/);
    expect(await blocked).toBeNull();
    const view: PluginView = await cluster.plugin();
    expect(view.state).toBe('ready');
    await cluster.stop();
  },
  120_000,
);
