import { expect, test } from '@jest/globals';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { ownCache } from '../fixtures/cache.js';
import { putVersion } from '../fixtures/versions.js';
import { eventually } from '../fixtures/server.js';
import { type Answer, Cluster, directory, Load, type PluginView } from './cluster.js';

/** All workers run the same version of a plugin, and its history contains each swap once. */
ownCache();
chmodSync(directory.path, 0o755);
let plugins = 0;

interface Versions extends Cluster {
  readonly path: string;
}

const SWAP = 'swap: { canary: { percent: 0 }, probation: { duration: 60s } }';

async function launch(policy = SWAP): Promise<Versions> {
  const path = join(directory.path, `libone${(plugins += 1)}.so`);
  putVersion(path, 1000);
  const cluster = await Cluster.launch(`
server: { port: 0, workers: 2 }
admin: { port: 0, token: t }
endpoints: { version: { path: /version, plugin: one } }
plugins: { one: { path: ${path}, restart: { delay: 1ms }, timeouts: { call: 20s }, ${policy} } }
`);
  return Object.assign(cluster, { path });
}

const act = (cluster: Cluster, action: string): Promise<Answer> =>
  cluster.admin(`/plugins/one/${action}`, 'POST');

interface Outcome {
  outcome: string;
  from: { version: string };
  to: { version: string | null };
}

/** The history, oldest first: outcome, old version, new version. */
async function history(cluster: Cluster): Promise<string[]> {
  const { history } = JSON.parse((await cluster.admin('/plugins/one/history')).text) as {
    history: Outcome[];
  };
  return history.map(({ outcome, from, to }) => `${outcome} ${from.version} ${to.version}`).reverse();
}

/** The version that serves in each worker, or null. */
async function serving(cluster: Cluster): Promise<(string | null)[]> {
  const ask = async (worker: number): Promise<string | null> => {
    const { versions } = JSON.parse(
      (await cluster.admin(`/plugins/one?worker=${worker}`)).text,
    ) as PluginView;
    return versions.find(({ role }) => role === 'serving')?.version ?? null;
  };
  return Promise.all([1, 2].map(ask));
}

async function reaches(cluster: Cluster, wanted: readonly string[]): Promise<void> {
  const until = Date.now() + 20_000;
  for (;;) {
    const now = await serving(cluster);
    if (JSON.stringify(now) === JSON.stringify(wanted)) return;
    if (Date.now() > until) throw new Error(`${JSON.stringify(now)}, not ${JSON.stringify(wanted)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('a swap and a rollback take effect in all workers, fail no request and are recorded once', async () => {
  const cluster = await launch();
  const load = new Load(`${cluster.url}/version`, 8);
  await load.more(50);
  putVersion(cluster.path, 1001);
  expect((await act(cluster, 'swap')).status).toBe(200);
  expect(await serving(cluster)).toEqual(['1.0.1001', '1.0.1001']);
  await load.more(50);
  expect((await act(cluster, 'rollback')).status).toBe(200);
  expect(await serving(cluster)).toEqual(['1.0.1000', '1.0.1000']);
  await load.more(50);
  await load.stop();
  expect([Object.keys(load.answers), load.broken]).toEqual([['200'], []]);
  expect(await history(cluster)).toEqual(['swapped 1.0.1000 1.0.1001', 'rolled_back 1.0.1001 1.0.1000']);
  await cluster.stop();
});

test('an unhealthy version is rejected in all workers and recorded once', async () => {
  const cluster = await launch();
  putVersion(cluster.path, 1002, 'sick');
  const { status, text } = await act(cluster, 'swap');
  expect([status, text]).toEqual([503, expect.stringContaining('reports that it is unhealthy')]);
  expect(await serving(cluster)).toEqual(['1.0.1000', '1.0.1000']);
  expect(await history(cluster)).toEqual(['rejected 1.0.1000 1.0.1002']);
  await cluster.stop();
});

test.each([
  ['probation', 'swap: { canary: { percent: 0 }, probation: { duration: 60s, max_crashes: 0 } }'],
  [
    'canary',
    'swap: { canary: { percent: 50, duration: 60s }, probation: { duration: 60s, max_crashes: 0 } }',
  ],
])('when a version fails its %s in one worker, all workers roll back', async (_, policy) => {
  const cluster = await launch(policy);
  putVersion(cluster.path, 1003, 'crash');
  expect((await act(cluster, 'swap')).status).toBe(200);
  // One connection stays with one worker. The other worker never sees the crash.
  const load = new Load(`${cluster.url}/version`, 1);
  await cluster.logged(/^plugin one was rolled back from 1\.0\.1003/);
  await reaches(cluster, ['1.0.1000', '1.0.1000']);
  await eventually(() => cluster.times(/^plugin one was rolled back from 1\.0\.1003/) === 2, 'both');
  await load.stop();
  const { trial, versions } = await cluster.plugin();
  expect([trial, versions.map(({ role }) => role).filter((role) => role !== 'leaving')]).toEqual([
    null,
    ['serving'],
  ]);
  expect((await history(cluster)).filter((entry) => entry.startsWith('rolled_back'))).toHaveLength(1);
  await cluster.stop();
});

test('a replacement worker runs the version of the other workers, not the changed file', async () => {
  const cluster = await launch();
  putVersion(cluster.path, 1004);
  const [first = 0] = cluster.workers();
  process.kill(first, 'SIGKILL');
  await cluster.logged(/^worker \d is serving again$/);
  expect(await serving(cluster)).toEqual(['1.0.1000', '1.0.1000']);
  // The replacement has no former version in memory, so its rollback loads the stored copy.
  expect((await act(cluster, 'swap')).status).toBe(200);
  process.kill(cluster.workers()[0]!, 'SIGKILL');
  await eventually(
    () => cluster.times(/^worker \d is serving again$/) === 2,
    'the second replacement',
    30_000,
  );
  expect(await serving(cluster)).toEqual(['1.0.1004', '1.0.1004']);
  expect((await act(cluster, 'rollback')).status).toBe(200);
  expect(await serving(cluster)).toEqual(['1.0.1000', '1.0.1000']);
  await cluster.stop();
});

test('a worker that is killed during a swap does not affect the other workers', async () => {
  const cluster = await launch();
  putVersion(cluster.path, 1005);
  const [first = 0] = cluster.workers();
  const swapped = act(cluster, 'swap');
  process.kill(first, 'SIGKILL');
  expect((await swapped).status).toBe(200);
  await cluster.logged(/^worker \d is serving again$/);
  await reaches(cluster, ['1.0.1005', '1.0.1005']);
  await cluster.stop();
});

test('a worker that starts during a canary ends up with the version that passes', async () => {
  const cluster = await launch(
    'swap: { canary: { percent: 50, duration: 4s }, probation: { duration: 60s } }',
  );
  putVersion(cluster.path, 1006);
  expect(JSON.parse((await act(cluster, 'swap')).text)).toMatchObject({ result: 'canary' });
  process.kill(cluster.workers()[0]!, 'SIGKILL');
  await cluster.logged(/^plugin one was swapped from 1\.0\.1000/);
  await cluster.logged(/^worker \d is serving again$/);
  await reaches(cluster, ['1.0.1006', '1.0.1006']);
  expect(await history(cluster)).toEqual(['swapped 1.0.1000 1.0.1006']);
  await cluster.stop();
});

test('plugins are disabled and enabled in all workers, including workers that start later', async () => {
  const cluster = await launch();
  const state = async (): Promise<string> => (await cluster.plugin()).state;
  expect((await act(cluster, 'disable?force=true')).status).toBe(200);
  expect(await state()).toBe('stopped');
  process.kill(cluster.workers()[0]!, 'SIGKILL');
  await cluster.logged(/^worker \d is serving again$/);
  expect([await state(), await serving(cluster)]).toEqual(['stopped', [null, null]]);
  expect((await act(cluster, 'enable')).status).toBe(200);
  expect([await state(), await serving(cluster)]).toEqual(['ready', ['1.0.1000', '1.0.1000']]);
  await cluster.stop();
});
