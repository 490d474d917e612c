import { tmpdir } from 'node:os';
import { expect, test } from '@jest/globals';
import { createPluginParts } from '../../dist/lifecycle/plugin-parts.js';
import { PluginRegistry } from '../../dist/lifecycle/registry/registry.js';
import { silentLog } from '../../dist/log.js';
import { PluginMetrics } from '../../dist/metrics/plugin-metrics.js';
import { parseConfig } from '../../dist/index.js';
import { ReloadPreparation } from '../../dist/reload/preparation.js';
import { isRunning } from '../cluster/cluster.js';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually, startServer } from '../fixtures/server.js';

/** A reload whose commit fails halfway leaves the server usable. */
ownCache();
const plugin = compilePlugin('config_echo');
const yaml = (a: number, b = a): string => `
endpoints: { a: { path: /a, plugin: a }, b: { path: /b, plugin: b } }
plugins: { a: { path: ${plugin}, config: { n: ${a} } }, b: { path: ${plugin}, config: { n: ${b} } } }
`;

test('when a commit throws at one plugin, the others are switched, and the server can reload and stop', async () => {
  let broken = false;
  const server = await startServer(yaml(1), {
    onLog({ message }) {
      if (broken && message === 'plugin a is ready') throw new Error('the log is full');
    },
  });
  const before = server.backworks.plugins().flatMap(({ processes }) => processes.map(({ pid }) => pid));
  broken = true;
  const report = await server.change(yaml(2));
  expect(report.failed).toMatchObject([{ name: 'a', error: { message: 'the log is full' } }]);
  broken = false;
  expect((await server.get('/b')).body).toEqual({ n: 2 });
  expect((await server.change(yaml(3))).failed).toEqual([]);
  expect((await server.get('/a')).body).toEqual({ n: 3 });
  const after = server.backworks.plugins().flatMap(({ processes }) => processes.map(({ pid }) => pid));
  await server.backworks.stop();
  await eventually(() => ![...before, ...after].some(isRunning), 'the end of every plugin process');
});

test('a commit that throws at once stops the prepared processes and unlocks the registry', async () => {
  const config = (n: number) =>
    parseConfig(`plugins: { a: { path: ${plugin}, config: { n: ${n} } } }`, { directory: tmpdir() }).config;
  const registry = new PluginRegistry({
    log: silentLog,
    ...createPluginParts({ metrics: new PluginMetrics(), log: silentLog, environment: {} }),
    drainTimeoutMs: () => 1000,
    onChange: () => Promise.resolve(),
  });
  await registry.discover(config(1));
  await registry.loadAll();
  const pids = (): number[] => registry.status().flatMap(({ processes }) => processes.map(({ pid }) => pid));
  const before = pids();
  const preparation = new ReloadPreparation({
    registry,
    current: () => config(1),
    prepare: () => () => {
      throw new Error('no routes');
    },
  });
  const prepared = await preparation.prepare(config(2));
  await expect(prepared.commit()).rejects.toThrow('no routes');
  expect(pids()).toEqual(expect.arrayContaining(before));
  // Each of these calls waits for the registry's lock.
  await expect(preparation.plan(config(2))).resolves.toMatchObject({ plugins: [{ action: 'swap' }] });
  await (await preparation.prepare(config(2))).abort();
  await registry.restart('a');
  await registry.close();
});
