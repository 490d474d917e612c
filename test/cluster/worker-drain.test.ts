import { expect, test } from '@jest/globals';
import { chmodSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { RunOptions } from '../cli/command.js';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually } from '../fixtures/server.js';
import { type Answer, Cluster, directory, gone } from './cluster.js';

/** Requests in flight when a server with workers stops. */
chmodSync(directory.path, 0o755);
let gates = 0;

interface Busy {
  readonly cluster: Cluster;
  readonly family: number[];
  /** Null for a request whose connection broke. */
  readonly answers: Promise<(Answer | null)[]>;
  /** Makes the plugin answer. */
  readonly open: () => void;
}

/** Starts four requests that wait in a plugin, spread over both workers. */
async function busy(shutdown: string, options?: RunOptions): Promise<Busy> {
  const gate = join(directory.path, `gate-${(gates += 1)}`);
  const cluster = await Cluster.launch(
    `
server: { port: 0, workers: 2, shutdown: { ${shutdown} } }
admin: { port: 0, token: t }
endpoints: { slow: { path: /slow, plugin: one } }
plugins:
  one:
    path: ${compilePlugin('gate')}
    instances: 4
    config: { open_if: ${gate} }
    timeouts: { call: 60s, shutdown: 500ms }
    permissions: { filesystem: { read: [${directory.path}] } }
`,
    options,
  );
  const family = cluster.family();
  const answers = Promise.all([1, 2, 3, 4].map(() => cluster.request('/slow').catch(() => null)));
  await eventually(() => cluster.times(/^begun$/) === 4, 'four calls', 20_000);
  const workers = cluster.command.log.filter(({ msg }) => msg === 'begun').map(({ worker }) => worker);
  expect(new Set(workers).size).toBe(2);
  return { cluster, family, answers, open: () => writeFileSync(gate, '') };
}

/** Resolves when new connections are refused. All workers are stopping by then. */
async function refused(cluster: Cluster): Promise<void> {
  const { hostname, port } = new URL(cluster.url);
  const attempt = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(Number(port), hostname);
      socket.on('connect', () => {
        socket.destroy();
        resolve(false);
      });
      socket.on('error', () => resolve(true));
    });
  while (!(await attempt())) continue;
}

test.each([
  ['SIGTERM to the primary', {}, 'SIGTERM', 1],
  ['Ctrl-C, which reaches every process', { detached: true }, 'SIGINT', -1],
] as const)(
  'after %s, requests in flight are answered and no process is left',
  async (_, options, signal, to) => {
    const { cluster, family, answers, open } = await busy('timeout: 60s', options);
    process.kill(to * cluster.pid, signal);
    await cluster.logged(/^stopping after the requests in flight$/);
    await refused(cluster);
    open();
    expect((await answers).map((answer) => answer?.status)).toEqual([200, 200, 200, 200]);
    expect(await cluster.command.finished).toMatchObject({ code: 0, signal: null });
    await gone(family);
  },
);

test('a second signal ends the server and its workers at once', async () => {
  const { cluster, family, answers } = await busy('timeout: 60s');
  cluster.command.child.kill('SIGTERM');
  await cluster.logged(/^stopping after the requests in flight$/);
  cluster.command.child.kill('SIGTERM');
  const { code, signal } = await cluster.command.finished;
  expect([code, signal]).toEqual([128 + constants.signals.SIGTERM, null]);
  expect(await answers).toEqual([null, null, null, null]);
  await gone(family);
});

test('the server exits after shutdown.timeout although requests are not answered', async () => {
  const { cluster, family, answers } = await busy('timeout: 300ms');
  cluster.command.child.kill('SIGTERM');
  expect(await cluster.command.finished).toMatchObject({ code: 0, signal: null });
  expect((await answers).map((answer) => answer?.status ?? 0).every((status) => status !== 200)).toBe(true);
  await gone(family);
});
