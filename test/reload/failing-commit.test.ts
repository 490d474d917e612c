import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
import { putVersion } from '../fixtures/versions.js';

/** A reload whose commit fails leaves the server as it was, and usable. */
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

test('a commit whose listener throws changes nothing: plugins, trials, settings and processes are as before', async () => {
  const library = join(mkdtempSync(join(tmpdir(), 'backworks-commit-')), 'versioned.so');
  putVersion(library, 1000);
  const reconfigurable = compilePlugin('reconfigurable');
  const config = (plugins: string) => parseConfig(`plugins: { ${plugins} }`, { directory: tmpdir() }).config;
  const former = config(`
    swapped: { path: ${library}, swap: { probation: { duration: 1h } } }, adjusted: { path: ${plugin} },
    reconfigured: { path: ${reconfigurable}, config: { unit: K } }, removed: { path: ${plugin} },
    lazy: { path: ${plugin}, load: lazy }, postponed: { path: ${plugin}, enabled: false }`);
  const next = config(`
    added: { path: ${plugin} }, adjusted: { path: ${plugin}, priority: 7, timeouts: { call: 3s } },
    swapped: { path: ${library}, config: { a: 1 }, swap: { probation: { duration: 1h } } },
    reconfigured: { path: ${reconfigurable}, config: { unit: F } },
    lazy: { path: ${plugin}, load: lazy, config: { n: 1 } }, postponed: { path: ${plugin}, load: lazy, config: { n: 1 } }`);

  const seen: string[] = [];
  let refuses = false;
  const note = (_: object, line: string): void => void seen.push(line);
  const registry = new PluginRegistry({
    log: { ...silentLog, info: note, warn: note },
    ...createPluginParts({ metrics: new PluginMetrics(), log: silentLog, environment: {} }),
    drainTimeoutMs: () => 1000,
    onState: ({ plugin: name, state }) => void seen.push(`${name} ${state}`),
    onChange() {
      if (refuses && registry.status().some(({ name }) => name === 'added')) throw new Error('not this one');
      return Promise.resolve();
    },
  });
  await registry.discover(former);
  await registry.loadAll();
  putVersion(library, 1001);
  await registry.swap('swapped', 'admin');
  // Spares start by themselves.
  const facts = () =>
    registry.status().map(({ processes, versions, ...status }) => ({
      ...status,
      processes: processes.filter(({ state }) => state !== 'spare').map(({ pid }) => pid),
      versions: versions.map(({ role, version }) => ({ role, version })),
    }));
  const before = facts();
  const serving = registry.inService();
  expect(before.find(({ name }) => name === 'swapped')?.trial?.stage).toBe('probation');

  let settings = 'former';
  const preparation = new ReloadPreparation({
    registry,
    current: () => former,
    prepare: () => () => {
      settings = 'next';
      return () => void (settings = 'former');
    },
  });
  const prepared = await preparation.prepare(next);
  seen.length = 0;
  refuses = true;
  await expect(prepared.commit()).rejects.toThrow('not this one');
  expect(facts()).toEqual(before);
  expect(registry.inService().map(({ name, priority }) => [name, priority])).toEqual(
    serving.map(({ name, priority }) => [name, priority]),
  );
  expect(settings).toBe('former');
  expect(seen).toEqual([]);
  const unit = registry.inService().find(({ name }) => name === 'reconfigured');
  expect((await unit?.processEndpoint('/', 'GET', '{}'))?.body).toContain('"unit":"K"');

  // The lock is free, the standby still stands by, and the same change works when the listener accepts it.
  await registry.rollBack('swapped', 'admin');
  expect(registry.status().find(({ name }) => name === 'swapped')?.version).toBe('1.0.1000');
  refuses = false;
  expect(await (await preparation.prepare(next)).commit()).toEqual([]);
  expect(registry.status().map(({ name, state }) => `${name} ${state}`)).toEqual(
    expect.arrayContaining(['added ready', 'postponed lazy', 'reconfigured ready']),
  );
  const pids = registry.status().flatMap(({ processes }) => processes.map(({ pid }) => pid));
  await registry.close();
  await eventually(
    () => ![...pids, ...before.flatMap(({ processes }) => processes)].some(isRunning),
    'the end of every plugin process',
  );
});
