import { expect, test } from '@jest/globals';
import { Agent } from 'node:http';
import { Receiver } from '../alerts/receiver.js';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually } from '../fixtures/server.js';
import { Cluster, Load, type PluginView, request } from './cluster.js';

/** Metrics, states and alerts of several workers appear as those of one server. */
ownCache();
const CALLS = /backworks_plugin_call_duration_seconds_count\{.*hook="process_endpoint".*\}/;

test('metrics and status of all workers add up to the exact number of requests', async () => {
  const cluster = await Cluster.launch(`
server: { port: 0, workers: 2 }
admin: { port: 0, token: t }
endpoints: { one: { path: /one, plugin: one } }
plugins: { one: { path: ${compilePlugin('host_services')}, limits: { log_rate: 1KiB }, timeouts: { call: 20s } } }
`);
  const load = new Load(`${cluster.url}/one`, 16);
  for (let scrapes = 0; scrapes < 5; scrapes += 1) {
    await load.more(100);
    expect(await cluster.metric(CALLS)).toBeLessThanOrEqual(load.total + 16);
  }
  await load.stop();
  expect([Object.keys(load.answers), load.broken]).toEqual([['200'], []]);
  expect(await cluster.metric(CALLS)).toBe(load.total);
  const answered = /backworks_http_requests_total\{endpoint="one",method="GET",status="200"\}/;
  while ((await cluster.metric(answered)) < load.total)
    await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await cluster.metric(answered)).toBe(load.total);
  expect((await cluster.plugin()).calls['process_endpoint']).toEqual({ calls: load.total, failed: 0 });
  // The plugin's own counter grows by two in each call. Its frames arrive independently of the answers.
  const own = /backworks_plugin_custom_total\{plugin="one",name="greetings"\}/;
  while ((await cluster.metric(own)) < 2 * load.total)
    await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await cluster.metric(own)).toBe(2 * load.total);
  expect(await cluster.metric(/backworks_plugin_processes\{plugin="one",state="ready"\}/)).toBe(2);
  expect(await cluster.metric(/backworks_plugin_state\{plugin="one",state="ready"\}/)).toBe(1);
  expect(await cluster.metric(/backworks_workers/)).toBe(2);
  await cluster.stop();
});

test('the requests of a worker that was killed stay counted, until a reload removes their endpoint', async () => {
  const yaml = (endpoint: string): string => `
server: { port: 0, workers: 2 }
admin: { port: 0, token: t }
endpoints: { ${endpoint}: { path: /one, response: { body: x } } }
`;
  const cluster = await Cluster.launch(yaml('first'));
  const answered = (endpoint: string): RegExp =>
    new RegExp(`backworks_http_requests_total\\{endpoint="${endpoint}",method="GET",status="200"\\}`);
  const shows = async (endpoint: string, count: number): Promise<void> => {
    while ((await cluster.metric(answered(endpoint))) !== count)
      await new Promise((resolve) => setTimeout(resolve, 20));
  };
  for (let count = 0; count < 8; count += 1)
    await fetch(`${cluster.url}/one`, { headers: { connection: 'close' } });
  await shows('first', 8);
  const { workers } = JSON.parse((await cluster.admin('/plugins')).text) as { workers: { pid: number }[] };
  process.kill(workers[0]!.pid, 'SIGKILL');
  await cluster.logged(/^worker 1 is serving again/);
  await fetch(`${cluster.url}/one`, { headers: { connection: 'close' } });
  await shows('first', 9);
  cluster.write(yaml('second'));
  expect((await cluster.admin('/reload', 'POST')).status).toBe(200);
  await fetch(`${cluster.url}/one`, { headers: { connection: 'close' } });
  await shows('second', 1);
  await shows('first', 0);
  await cluster.stop();
});

/** Crashes plugin processes of one worker, over one keep-alive connection. */
async function crash(cluster: Cluster, times: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let count = 0; count < times; count += 1)
    expect((await request(`${cluster.url}/crash`, agent)).status).toBeGreaterThanOrEqual(500);
  agent.destroy();
}

const view = async (cluster: Cluster, worker: number): Promise<PluginView> =>
  JSON.parse((await cluster.admin(`/plugins/one?worker=${worker}`)).text) as PluginView;

const failing = (receiver: Receiver, policy: string): string => `
server: { port: 0, workers: 2 }
admin: { port: 0, token: t }
alerts: { webhook: '${receiver.url}', on: [quarantined, recovered] }
endpoints: { crash: { path: /crash, plugin: one }, ok: { path: /ok, plugin: one } }
plugins: { one: { path: ${compilePlugin('supervised')}, restart: { delay: 1ms, max_delay: 1ms }, ${policy} } }
`;

test('a library that one worker quarantines stops in all workers, causes one alert and is released in all workers', async () => {
  const receiver = await Receiver.open();
  const cluster = await Cluster.launch(
    failing(
      receiver,
      'quarantine: { failures: 2, window: 60s }, circuit_breaker: { failures: 1000, window: 1s }',
    ),
  );
  await crash(cluster, 2);
  await eventually(() => cluster.times(/^plugin one is in quarantine/) === 2, 'both workers', 20_000);
  for (const worker of [1, 2]) {
    const { state, reason, processes } = await view(cluster, worker);
    expect([state, reason, processes]).toEqual(['failed', expect.stringContaining('is in quarantine'), []]);
  }
  await eventually(() => receiver.events.length > 0, 'an alert', 20_000);
  expect((await cluster.admin('/plugins/one/release', 'POST')).status).toBe(200);
  await eventually(() => receiver.events.includes('recovered'), 'the recovery', 20_000);
  for (const worker of [1, 2]) expect((await view(cluster, worker)).state).toBe('ready');
  expect(receiver.events).toEqual(['quarantined', 'recovered']);
  await cluster.stop();
  await receiver.close();
});

test('a circuit that is open in one worker is reported as open', async () => {
  const receiver = await Receiver.open();
  const cluster = await Cluster.launch(
    failing(receiver, 'circuit_breaker: { failures: 2, window: 60s, reset_after: 60s }'),
  );
  await crash(cluster, 2);
  const circuits = await Promise.all([1, 2].map(async (worker) => (await view(cluster, worker)).circuit));
  expect(circuits.sort()).toEqual(['closed', 'open']);
  expect((await cluster.plugin()).circuit).toBe('open');
  expect(await cluster.metric(/backworks_plugin_circuit_state\{plugin="one"\}/)).toBe(2);
  expect((await cluster.admin('/plugins?worker=3')).status).toBe(404);
  await cluster.stop();
  await receiver.close();
});

test('a lazy plugin is reported as lazy until a worker has used it', async () => {
  const cluster = await Cluster.launch(`
server: { port: 0, workers: 2 }
admin: { port: 0, token: t }
endpoints: { one: { path: /one, plugin: one } }
plugins: { one: { path: ${compilePlugin('counter')}, load: lazy } }
`);
  expect((await cluster.plugin()).state).toBe('lazy');
  await cluster.request();
  const states = await Promise.all([1, 2].map(async (worker) => (await view(cluster, worker)).state));
  expect(states.sort()).toEqual(['lazy', 'ready']);
  expect((await cluster.plugin()).state).toBe('ready');
  await cluster.stop();
});
