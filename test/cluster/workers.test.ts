import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, test } from '@jest/globals';
import { RunningCommand, scratch } from '../cli/command.js';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually } from '../fixtures/server.js';

/** `backworks start` with two workers, seen from outside. */
const directory = scratch();
const library = compilePlugin('reconfigurable');
const running = new Set<RunningCommand>();
afterAll(async () => {
  for (const command of running) command.child.kill('SIGKILL');
  await Promise.all([...running].map(({ finished }) => finished));
  directory.remove();
});

const yaml = (n: number, more = '', server = 'port: 0'): string => `
server: { ${server}, workers: 2, shutdown: { timeout: 5s } }
admin: { port: 0, token: t }
endpoints: { one: { path: /one, plugin: one } }
plugins: { one: { path: ${library}, config: { n: ${n} }, ${more} } }
`;
let files = 0;

interface Plugin {
  state: string;
  calls: Record<string, { calls: number; failed: number }>;
  processes: { pid: number; worker: number; state: string }[];
}

interface Cluster {
  readonly command: RunningCommand;
  readonly file: string;
  readonly url: string;
  admin(path: string, method?: string): Promise<{ status: number; text: string }>;
  plugin(): Promise<Plugin>;
  /** By worker, the one that serves. */
  servers(): Promise<number[]>;
  one(): Promise<{ config: { n: number }; pid: number }>;
}

async function launch(text = yaml(1)): Promise<Cluster> {
  const name = `config-${(files += 1)}.yaml`;
  const file = directory.write(name, text);
  const command = new RunningCommand(['start', '--config', file]);
  running.add(command);
  const { url } = await command.logged(/^listening on .* with 2 workers$/);
  const { url: adminUrl } = await command.logged(/^admin API on /);
  const admin: Cluster['admin'] = async (path, method = 'GET') => {
    const response = await fetch(`${String(adminUrl)}${path}`, {
      method,
      headers: { authorization: 'Bearer t' },
    });
    return { status: response.status, text: await response.text() };
  };
  const plugin = async (): Promise<Plugin> => JSON.parse((await admin('/plugins/one')).text) as Plugin;
  return {
    command,
    file,
    url: String(url),
    admin,
    plugin,
    servers: async () =>
      (await plugin()).processes.filter(({ state }) => state === 'ready').map(({ pid }) => pid),
    one: async () => {
      // A connection of its own: those are what workers take in turns.
      const response = await fetch(`${String(url)}/one`, { headers: { connection: 'close' } });
      expect(response.status).toBe(200);
      return (await response.json()) as { config: { n: number }; pid: number };
    },
  };
}

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const gone = (pids: readonly number[]): Promise<void> =>
  eventually(() => !pids.some(isRunning), `the end of ${pids.join(', ')}`, 20_000);

/** The workers' processes, from their log lines. */
const workerPids = (metrics: string): number => Number(/^backworks_workers (\d+)$/m.exec(metrics)?.[1]);

async function childrenOf(pid: number): Promise<number[]> {
  const { readFile } = await import('node:fs/promises');
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.trim().split(' ').map(Number);
}

async function stop({ command }: Cluster): Promise<void> {
  command.child.kill('SIGTERM');
  expect(await command.finished).toMatchObject({ code: 0, signal: null });
}

test('both answer, their numbers are added up, and all of it ends on SIGTERM', async () => {
  const cluster = await launch();
  const answers = await Promise.all(Array.from({ length: 40 }, () => cluster.one()));
  const pids = await cluster.servers();
  expect(new Set(answers.map(({ pid }) => pid))).toEqual(new Set(pids));
  expect(pids.length).toBe(2);

  const { text } = await cluster.admin('/metrics');
  const count = /^backworks_plugin_call_duration_seconds_count\{.*hook="process_endpoint".*\} (\d+)$/m;
  expect(Number(count.exec(text)?.[1])).toBe(40);
  expect(workerPids(text)).toBe(2);
  const { state, calls, processes } = await cluster.plugin();
  expect([state, calls['process_endpoint']]).toEqual(['ready', { calls: 40, failed: 0 }]);
  expect(new Set(processes.map(({ worker }) => worker))).toEqual(new Set([1, 2]));
  expect((await cluster.admin('/readyz')).status).toBe(200);

  const workers = await childrenOf(cluster.command.child.pid!);
  // As Ctrl-C in a terminal does, to every process: workers end when the primary says so.
  for (const pid of workers) process.kill(pid, 'SIGINT');
  await cluster.one();
  await stop(cluster);
  await gone([...workers, ...processes.map(({ pid }) => pid)]);
  const ready = cluster.command.log.filter(({ msg }) => msg === 'plugin one is ready');
  expect(ready.map(({ worker }) => worker).sort()).toEqual([1, 2]);
});

test('what plugins need is told as by one process', async () => {
  const user = `  user: { path: ${compilePlugin('needs_plugin')}, priority: 1 }\n`;
  const base = `  base: { path: ${compilePlugin('needed')} }\n`;
  const cluster = await launch(
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
  await stop(cluster);
});

test('a worker that is killed is replaced; its numbers stay', async () => {
  const cluster = await launch();
  await Promise.all(Array.from({ length: 10 }, () => cluster.one()));
  await cluster.admin('/metrics');
  const [first = 0] = await childrenOf(cluster.command.child.pid!);
  process.kill(first, 'SIGKILL');
  await cluster.command.logged(/^worker \d was ended by SIGKILL; it is replaced$/);
  await cluster.one();
  await cluster.command.logged(/^worker \d serves again$/);
  const { text } = await cluster.admin('/metrics');
  const count = /^backworks_plugin_call_duration_seconds_count\{.*hook="process_endpoint".*\} (\d+)$/m;
  expect(Number(count.exec(text)?.[1])).toBe(11);
  expect(text).toMatch(/^backworks_worker_failures_total 1$/m);
  expect(workerPids(text)).toBe(2);
  expect((await cluster.servers()).length).toBe(2);
  await stop(cluster);
});

test('a reload comes into force in both, or in none', async () => {
  const cluster = await launch();
  directory.write(cluster.file.split('/').at(-1)!, yaml(2));
  const done = await cluster.admin('/reload', 'POST');
  expect([done.status, JSON.parse(done.text)]).toMatchObject([200, { plugins: [{ action: 'reconfigure' }] }]);
  const after = await Promise.all(Array.from({ length: 10 }, () => cluster.one()));
  expect(new Set(after.map(({ config }) => config.n))).toEqual(new Set([2]));
  expect(new Set(after.map(({ pid }) => pid)).size).toBe(2);

  const missing = yaml(3, 'critical: true').replace(library, '/nowhere/lib.so');
  directory.write(cluster.file.split('/').at(-1)!, missing);
  expect((await cluster.admin('/reload', 'POST')).status).toBe(409);
  // One that takes the place of another has what is in force, not what is in the file or was at the start.
  const [first = 0] = await childrenOf(cluster.command.child.pid!);
  process.kill(first, 'SIGKILL');
  await cluster.command.logged(/^worker \d serves again$/);
  const again = await Promise.all(Array.from({ length: 10 }, () => cluster.one()));
  expect(new Set(again.map(({ config }) => config.n))).toEqual(new Set([2]));
  await stop(cluster);
});

test('restarting a plugin gives all workers new processes, and no request fails', async () => {
  const cluster = await launch();
  const before = await cluster.servers();
  let requests = 0;
  let over = false;
  const traffic = (async () => {
    for (; !over; requests += 1) await cluster.one();
  })();
  expect((await cluster.admin('/plugins/one/restart', 'POST')).status).toBe(200);
  over = true;
  await traffic;
  expect(requests).toBeGreaterThan(0);
  const after = await cluster.servers();
  expect(after.length).toBe(2);
  expect(after.some((pid) => before.includes(pid))).toBe(false);
  await stop(cluster);
});

test('when the primary is killed nothing of it stays', async () => {
  const cluster = await launch();
  const workers = await childrenOf(cluster.command.child.pid!);
  const { processes } = await cluster.plugin();
  expect(workers.length).toBeGreaterThanOrEqual(2);
  cluster.command.child.kill('SIGKILL');
  await gone([...workers, ...processes.map(({ pid }) => pid)]);
});

test('a port that is taken is one error', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const file = directory.write('taken.yaml', yaml(1, '', `port: ${port}`));
  const command = new RunningCommand(['start', '--config', file]);
  running.add(command);
  const { code, stderr } = await command.finished;
  expect(code).toBe(1);
  expect(stderr.match(/BW_SERVER_LISTEN/g)).toHaveLength(1);
  other.close();
});
