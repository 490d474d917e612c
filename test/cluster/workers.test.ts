import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { Cluster } from './cluster.js';

const library = compilePlugin('reconfigurable');
const yaml = (server = 'port: 0'): string => `
server: { ${server}, workers: 2 }
admin: { port: 0, token: t }
endpoints: { one: { path: /one, plugin: one } }
plugins: { one: { path: ${library}, config: { n: 1 } } }
`;

async function pidOf(cluster: Cluster): Promise<number> {
  const { status, text } = await cluster.request();
  expect(status).toBe(200);
  return (JSON.parse(text) as { pid: number }).pid;
}

test('both workers answer, their numbers are added up, and all processes end on SIGTERM', async () => {
  const cluster = await Cluster.launch(yaml());
  const answers = await Promise.all(Array.from({ length: 40 }, () => pidOf(cluster)));
  const pids = await cluster.servers();
  expect(new Set(answers)).toEqual(new Set(pids));
  expect(pids.length).toBe(2);

  expect(await cluster.metric(/backworks_workers/)).toBe(2);
  const { state, calls, processes } = await cluster.plugin();
  expect([state, calls['process_endpoint']]).toEqual(['ready', { calls: 40, failed: 0 }]);
  expect(new Set(processes.map(({ worker }) => worker))).toEqual(new Set([1, 2]));
  expect((await cluster.admin('/readyz')).status).toBe(200);
  await cluster.stop();
  const ready = cluster.command.log.filter(({ msg }) => msg === 'plugin one is ready');
  expect(ready.map(({ worker }) => worker).sort()).toEqual([1, 2]);
});

test('dependencies between plugins are reported as they are with one process', async () => {
  const user = `  user: { path: ${compilePlugin('needs_plugin')}, priority: 1 }\n`;
  const base = `  base: { path: ${compilePlugin('needed')} }\n`;
  const cluster = await Cluster.launch(
    `server: { port: 0, workers: 2 }\nadmin: { port: 0, token: t }\nplugins:\n${user}${base}`,
  );
  const document = async (name: string): Promise<unknown> =>
    JSON.parse((await cluster.admin(`/plugins/${name}`)).text);
  const need = { kind: 'plugin', name: 'base', version: '^1.2', optional: false, provided_by: 'base' };
  expect(await document('user')).toMatchObject({ order: 2, needs: [need], needed_by: [] });
  expect(await document('base')).toMatchObject({
    order: 1,
    needs: [],
    needed_by: [{ name: 'user', optional: false }],
  });
  await cluster.stop();
});

test('a restart gives the plugin new processes in all workers and fails no request', async () => {
  const cluster = await Cluster.launch(yaml());
  const before = await cluster.servers();
  let requests = 0;
  let over = false;
  const traffic = (async () => {
    for (; !over; requests += 1) await pidOf(cluster);
  })();
  expect((await cluster.admin('/plugins/one/restart', 'POST')).status).toBe(200);
  over = true;
  await traffic;
  expect(requests).toBeGreaterThan(0);
  const after = await cluster.servers();
  expect(after.length).toBe(2);
  expect(after.some((pid) => before.includes(pid))).toBe(false);
  await cluster.stop();
});

test('a port that is in use causes one error, not one for each worker', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const { command } = Cluster.run(yaml(`port: ${port}`));
  const { code, stderr } = await command.finished;
  expect(code).toBe(1);
  expect(stderr.match(/BW_SERVER_LISTEN/g)).toHaveLength(1);
  other.close();
});
