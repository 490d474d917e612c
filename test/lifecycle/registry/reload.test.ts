import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { defaultPluginPolicy, parseConfig } from '../../../dist/config/load/load.js';
import type { PluginConfig } from '../../../dist/config/types.js';
import { type CurrentPlugin, type NextPlugin, planPlugins } from '../../../dist/lifecycle/registry/reload.js';
import { isKnownSetting } from '../../../dist/lifecycle/registry/setting-keys.js';
import { changedPaths } from '../../../dist/lifecycle/registry/value-changes.js';
import { type PluginsBlock, pluginsBlock } from '../../plugins/sample-plugins.js';

/** The plans for changed plugins. No plugin is started here. */
const DIGEST = 'd1';

function configsOf(plugins: PluginsBlock | string): readonly PluginConfig[] {
  const text = typeof plugins === 'string' ? `plugins: ${plugins}` : JSON.stringify({ plugins });
  return parseConfig(text, { directory: '/', env: {} }).config.plugins;
}

const nextOf = (plugins: PluginsBlock | string, digest: string | null = DIGEST): NextPlugin[] =>
  configsOf(plugins).map((config) => ({
    entry: { name: config.name, origin: 'config', config },
    digest,
    dependencies: '',
    starts: config.load === 'eager',
  }));

const currentOf = (plugins: PluginsBlock | string, facts: Partial<CurrentPlugin> = {}): CurrentPlugin[] =>
  nextOf(plugins).map(({ entry, digest }) => ({
    entry,
    digest,
    dependencies: '',
    running: entry.config.enabled,
    waiting: false,
    reconfigurable: false,
    ...facts,
  }));

describe('each changed key requires the smallest action', () => {
  test.each([
    ['critical: true', 'adjust', 'critical'],
    ['priority: 3', 'adjust', 'priority'],
    ['load: lazy', 'adjust', 'load'],
    ['idle_after: 5s', 'adjust', 'idle_after'],
    ['timeouts: { call: 5ms }', 'adjust', 'timeouts.call'],
    ['timeouts: { initialize: 5ms }', 'adjust', 'timeouts.initialize'],
    ['timeouts: { shutdown: 5ms }', 'adjust', 'timeouts.shutdown'],
    ['circuit_breaker: { reset_after: 5ms }', 'adjust', 'circuit_breaker.reset_after'],
    ['retry: { attempts: 2 }', 'adjust', 'retry.attempts'],
    ['retry: { on: [timeout] }', 'adjust', 'retry.on'],
    ['limits: { queue: 5 }', 'adjust', 'limits.queue'],
    ['limits: { log_rate: 5 }', 'adjust', 'limits.log_rate'],
    ['limits: { idle_cpu: 5% }', 'adjust', 'limits.idle_cpu'],
    ['limits: { parsed_reply: 5 }', 'adjust', 'limits.parsed_reply'],
    ['recycle: { calls: 5 }', 'adjust', 'recycle.calls'],
    ['restart: { max_delay: 5m }', 'adjust', 'restart.max_delay'],
    ['health: { interval: 5s }', 'adjust', 'health.interval'],
    ['quarantine: { failures: 5 }', 'adjust', 'quarantine.failures'],
    ['limits: { open_files: 20 }', 'swap', 'limits.open_files'],
    ['limits: { file_size: 20 }', 'swap', 'limits.file_size'],
    ['limits: { reply: 20 }', 'swap', 'limits.reply'],
    ['instances: 2', 'swap', 'instances'],
    ['sandbox: best-effort', 'swap', 'sandbox'],
    ['permissions: { env: [TZ] }', 'swap', 'permissions.env'],
    ['permissions: { network: { udp: true } }', 'swap', 'permissions.network.udp'],
    ['permissions: { network: { fetch: ["https://a.example"] } }', 'swap', 'permissions.network.fetch'],
    ['permissions: { filesystem: { read: [/a] } }', 'swap', 'permissions.filesystem.read'],
    ['config: { city: here }', 'swap', 'config.city'],
  ])('%s: %s', (setting, action, key) => {
    const { changes } = planPlugins(
      currentOf('{ p: { path: /p } }'),
      nextOf(`{ p: { path: /p, ${setting} } }`),
    );
    expect(changes).toEqual([{ name: 'p', action, changed: [key] }]);
  });

  test('a changed memory limit also changes the recycle limit derived from it', () => {
    const next = nextOf('{ p: { path: /p, limits: { memory: 64MiB } } }');
    const { changes } = planPlugins(currentOf('{ p: { path: /p } }'), next);
    expect(changes).toEqual([{ name: 'p', action: 'swap', changed: ['limits.memory', 'recycle.memory'] }]);
  });

  test('every setting of a plugin has an action', () => {
    const members = changedPaths({}, defaultPluginPolicy());
    const leaves = (value: unknown, path: string): string[] =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.entries(value).flatMap(([key, part]) => leaves(part, `${path}.${key}`))
        : [path];
    const all = members.flatMap((member) =>
      leaves((defaultPluginPolicy() as unknown as Record<string, unknown>)[member], member),
    );
    expect(all.length).toBeGreaterThan(30);
    expect(all.filter((path) => !isKnownSetting(path))).toEqual([]);
  });
});

describe('a plugin', () => {
  const plain = '{ p: { path: /p, config: { city: here } } }';
  const change = (current: CurrentPlugin[], next: NextPlugin[]): unknown =>
    planPlugins(current, next).changes[0];

  test('whose entry is unchanged is kept', () => {
    expect(change(currentOf(plain), nextOf(plain))).toEqual({ name: 'p', action: 'keep', changed: [] });
  });

  test('whose library file changed is swapped; one whose file cannot be read is kept', () => {
    expect(change(currentOf(plain), nextOf(plain, 'd2'))).toMatchObject({
      action: 'swap',
      changed: ['library'],
    });
    expect(change(currentOf(plain), nextOf(plain, null))).toMatchObject({ action: 'keep' });
  });

  test('with reconfigure() is reconfigured when no other change needs a new process', () => {
    const current = currentOf(plain, { reconfigurable: true });
    const next = '{ p: { path: /p, config: { city: there, units: metric }, timeouts: { call: 5ms } } }';
    expect(change(current, nextOf(next))).toEqual({
      name: 'p',
      action: 'reconfigure',
      changed: ['config.city', 'config.units', 'timeouts.call'],
    });
    expect(change(current, nextOf(next, 'd2'))).toMatchObject({ action: 'swap' });
  });

  test('is loaded when added or enabled, and unloaded when removed or disabled', () => {
    const off = '{ p: { path: /p, enabled: false, config: { city: here } } }';
    expect(planPlugins([], nextOf(plain)).changes).toEqual([
      { name: 'p', action: 'load', changed: ['added'] },
    ]);
    expect(planPlugins(currentOf(plain), []).changes).toEqual([
      { name: 'p', action: 'unload', changed: ['removed'] },
    ]);
    expect(change(currentOf(plain), nextOf(off))).toEqual({
      name: 'p',
      action: 'unload',
      changed: ['enabled'],
    });
    expect(change(currentOf(off), nextOf(plain))).toEqual({
      name: 'p',
      action: 'load',
      changed: ['enabled'],
    });
    expect(change(currentOf(off), nextOf(off))).toMatchObject({ action: 'keep' });
  });

  test('that failed is loaded again only when something about it changed', () => {
    const failed = currentOf(plain, { running: false });
    expect(change(failed, nextOf(plain))).toMatchObject({ action: 'keep' });
    expect(change(failed, nextOf(plain, 'd2'))).toMatchObject({ action: 'load', changed: ['library'] });
  });

  test('in-process waits for a restart when its code would have to be unloaded', () => {
    const inside = (more: string): string =>
      `{ p: { path: /p, isolation: in-process, trusted: true, ${more} } }`;
    const current = currentOf(inside(''));
    expect(change(current, nextOf(inside('config: { city: there }')))).toMatchObject({
      action: 'needs_restart',
    });
    expect(change(current, nextOf(inside('priority: 3')))).toMatchObject({ action: 'adjust' });
    expect(change(current, nextOf('{ p: { path: /p } }'))).toMatchObject({
      action: 'swap',
      changed: ['isolation', 'trusted', 'sandbox'],
    });
  });
});

test('a changed order is reported, because plugins of equal priority run in that order', () => {
  const current = currentOf('{ a: { path: /a }, b: { path: /b } }');
  expect(planPlugins(current, nextOf('{ b: { path: /b }, a: { path: /a } }')).reordered).toBe(true);
  expect(
    planPlugins(current, nextOf('{ c: { path: /c }, a: { path: /a }, b: { path: /b } }')).reordered,
  ).toBe(false);
});

/** A plugin: how its processes were started, their last configuration, and the policy around them. */
interface Modelled {
  name: string;
  running: boolean;
  started: unknown;
  config: unknown;
  policy: unknown;
}

/** The model of a plugin. `started` has the settings that a process gets only at its start. */
function model({ entry, digest }: NextPlugin): Modelled {
  const { type, path, isolation, sandbox, permissions, instances, limits, config, where, ...policy } =
    entry.config;
  void where;
  const { memoryBytes, openFiles, fileSizeBytes, concurrency, replyBytes, ...soft } = limits;
  const hard = { memoryBytes, openFiles, fileSizeBytes, concurrency, replyBytes };
  const running = entry.config.enabled;
  return {
    name: entry.name,
    running,
    started: running ? { digest, type, path, isolation, sandbox, permissions, instances, hard } : null,
    config: running ? config : null,
    policy: running ? { ...policy, soft } : null,
  };
}

function apply(from: NextPlugin[], to: NextPlugin[], reconfigurable: boolean): Modelled[] {
  const current = from.map(({ entry, digest }): CurrentPlugin => {
    const running = entry.config.enabled;
    return {
      entry,
      digest: running ? digest : null,
      dependencies: '',
      running,
      waiting: false,
      reconfigurable,
    };
  });
  const before = new Map(from.map((plugin) => [plugin.entry.name, model(plugin)]));
  const after = new Map(to.map((plugin) => [plugin.entry.name, model(plugin)]));
  return planPlugins(current, to).changes.flatMap(({ name, action }): Modelled[] => {
    const old = before.get(name);
    const wanted = after.get(name);
    if (wanted === undefined) return [];
    switch (action) {
      case 'load':
      case 'swap':
        return [wanted];
      case 'unload':
        return [{ ...old!, running: false, started: null, config: null, policy: null }];
      case 'keep':
        return [old!];
      case 'adjust':
        return [{ ...(old ?? wanted), policy: wanted.policy }];
      case 'reconfigure':
        return [{ ...old!, policy: wanted.policy, config: wanted.config }];
      case 'postpone':
      case 'needs_restart':
        throw new Error('this model has no in-process and no lazy plugins');
    }
  });
}

test('the plan from A to B gives the same plugins as a start with B, and the plan from B to B is empty', () => {
  const block = pluginsBlock(['/one.so', '/two.so']);
  const digest = fc.constantFrom('d1', 'd2');
  fc.assert(
    fc.property(block, block, digest, digest, fc.boolean(), (a, b, digestA, digestB, reconfigurable) => {
      const from = nextOf(a, digestA);
      const to = nextOf(b, digestB);
      expect(apply(from, to, reconfigurable)).toEqual(to.map(model));
      const again = planPlugins(
        to.map((plugin) => ({
          ...plugin,
          running: plugin.entry.config.enabled,
          waiting: false,
          reconfigurable,
        })),
        to,
      );
      expect(again.changes.filter(({ action }) => action !== 'keep')).toEqual([]);
      expect(again.reordered).toBe(false);
    }),
    { numRuns: 500 },
  );
});
