import { appendFileSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { ownCache } from '../../fixtures/cache.js';
import { eventually, startServer, type TestServer } from '../../fixtures/server.js';
import { putVersion, versionOf } from '../../fixtures/versions.js';

const cache = ownCache();
let library = '';
beforeEach(() => {
  library = join(mkdtempSync(join(tmpdir(), 'backworks-swap-')), 'versioned.so');
  putVersion(library, 1000);
});

const LONG = 'probation: { duration: 1h, min_calls: 5 }';

/** Each test uses its own plugin name, so that no test sees the history of another. */
let count = 0;
async function start(
  swap = LONG,
  policy = '',
  name = `versioned${count++}`,
  settings = 'server: { port: 0 }',
): Promise<Swapped> {
  const server = await startServer(`${settings}
endpoints:
  version: { path: /version, plugin: ${name} }
  wait: { path: /wait, plugin: ${name} }
  hook: { path: /hook, response: { body: hello } }
plugins:
  ${name}:
    path: ${library}
    timeouts: { call: 10s }
    restart: { delay: 1ms, max_delay: 1ms }
    circuit_breaker: { failures: 1000, window: 1s }
    swap: { ${swap} }
    ${policy}
`);
  return new Swapped(server, name);
}

class Swapped {
  constructor(
    readonly server: TestServer,
    readonly name: string,
  ) {}

  get status() {
    return this.server.plugin(this.name);
  }

  /** Ids of the serving processes, without the spare, which starts at any time. */
  get pids(): number[] {
    return this.status.processes.filter(({ state }) => state !== 'spare').map(({ pid }) => pid);
  }

  swap = () => this.server.backworks.swapPlugin(this.name);
  rollBack = (to?: string) => this.server.backworks.rollBackPlugin(this.name, to);
  history = () => this.server.backworks.pluginHistory(this.name);
  stop = () => this.server.backworks.stop();

  /** The version that answers, or the status if no version answered. */
  async version(path = '/version'): Promise<string | number> {
    const { status, body } = await this.server.get(path);
    return status === 200 ? (body as { version: string }).version : status;
  }

  /** The versions whose hooks saw `calls` requests of an endpoint. */
  async hooked(calls: number): Promise<(string | null)[]> {
    const answers = [];
    for (let call = 0; call < calls; call += 1) answers.push(await this.server.get('/hook'));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: calls }, () => 200));
    return answers.map(({ headers }) => headers.get('x-version'));
  }
}

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const copies = (): string[] =>
  readdirSync(join(cache, 'backworks/libraries')).filter((name) => name.endsWith('.so'));

describe('a swap', () => {
  test('sends new requests to the new version, and the old one ends after its last request', async () => {
    const plugin = await start('probation: { duration: 0 }');
    const before = plugin.pids;
    const waiting = plugin.version('/wait');
    await eventually(() => plugin.status.processes.length === 2, 'a start');
    putVersion(library, 1001);
    expect(await plugin.swap()).toBe('swapped');
    expect(await plugin.version()).toBe('1.0.1001');
    expect(plugin.status).toMatchObject({
      state: 'ready',
      version: '1.0.1001',
      versions: [{ role: 'serving' }, { role: 'leaving', version: '1.0.1000' }],
      lastSwap: {
        outcome: 'swapped',
        by: 'admin',
        from: { version: '1.0.1000' },
        to: { version: '1.0.1001' },
      },
    });
    expect(before.some(isRunning)).toBe(true);
    expect(await waiting).toBe('1.0.1000');
    await eventually(() => !before.some(isRunning), 'the end of the old processes');
    await eventually(() => plugin.status.versions.length === 1, 'one version');
    await plugin.stop();
  });

  test('of an unchanged file does nothing', async () => {
    const plugin = await start();
    const before = plugin.pids;
    expect(await plugin.swap()).toBe('unchanged');
    expect(plugin.pids).toEqual(before);
    expect((await plugin.history()).history).toEqual([]);
    await plugin.stop();
  });

  test.each([
    ['refuses to initialize', 'refuse', 'BW_PLUGIN_INITIALIZE'],
    ['needs a newer ABI', 'newer', 'BW_PLUGIN_ABI'],
    ['has a schema that the configuration does not match', 'schema', 'BW_PLUGIN_CONFIG'],
    ['is unhealthy', 'sick', 'BW_PLUGIN_UNHEALTHY'],
    ['is not a library', '', 'BW_LIBRARY_FORMAT'],
  ])('leaves the old version in service when the new version %s', async (_case, behaviour, code) => {
    const plugin = await start();
    const before = { pids: plugin.pids, copies: copies().length };
    if (behaviour === '') writeFileSync(library, 'nothing');
    else putVersion(library, 1001, behaviour);
    await expect(plugin.swap()).rejects.toMatchObject({ code });
    expect(await plugin.version()).toBe('1.0.1000');
    expect(plugin.pids).toEqual(before.pids);
    expect(plugin.status).toMatchObject({ state: 'ready', version: '1.0.1000', trial: null });
    const { history } = await plugin.history();
    expect(history).toMatchObject([
      { outcome: 'rejected', from: { version: '1.0.1000' }, reason: expect.any(String) },
    ]);
    expect(plugin.server.log).toContainEqual(
      expect.objectContaining({ level: 'warn', message: expect.stringContaining('was not swapped') }),
    );
    await eventually(() => copies().length === before.copies, 'the end of the copy');
    await plugin.stop();
  });

  test('of an in-process plugin is refused', async () => {
    const plugin = await start('keep: 3', 'isolation: in-process\n    trusted: true');
    putVersion(library, 1001);
    await expect(plugin.swap()).rejects.toMatchObject({ code: 'BW_PLUGIN_STATE' });
    expect(await plugin.version()).toBe('1.0.1000');
    await plugin.stop();
  });

  test('starts a failed plugin', async () => {
    putVersion(library, 1000, 'refuse');
    const plugin = await start();
    expect(plugin.status.state).toBe('failed');
    putVersion(library, 1001);
    expect(await plugin.swap()).toBe('swapped');
    expect(await plugin.version()).toBe('1.0.1001');
    await plugin.stop();
  });

  test('replaces all processes of a plugin with several instances', async () => {
    const plugin = await start('probation: { duration: 0 }', 'instances: 2');
    putVersion(library, 1001);
    await plugin.swap();
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => plugin.version())))).toEqual(
      new Set(['1.0.1001']),
    );
    expect(plugin.status.processes.filter(({ state }) => state === 'ready')).toHaveLength(2);
    await plugin.stop();
  });
});

describe('probation', () => {
  test.each([
    ['crashes', 'crash', /processes failed/],
    ['answers with errors', 'error', /% of \d+ calls failed/],
    ['is slow', 'slow', /a call takes/],
  ])('rolls back a version that %s, and no request fails', async (_case, behaviour, reason) => {
    const plugin = await start();
    await plugin.hooked(10);
    const [good] = plugin.pids;
    putVersion(library, 1001, behaviour);
    await plugin.swap();
    expect(plugin.status.trial).toMatchObject({ stage: 'probation' });
    expect(plugin.status.versions.map(({ role }) => role)).toEqual(['serving', 'standby']);
    while (plugin.status.trial !== null) await plugin.hooked(1);
    expect(await plugin.hooked(2)).toEqual(['1.0.1000', '1.0.1000']);
    expect(plugin.pids[0]).toBe(good);
    expect(plugin.status).toMatchObject({ state: 'ready', version: '1.0.1000' });
    const { history, refused, versions } = await plugin.history();
    expect(history).toMatchObject([
      { outcome: 'rolled_back', by: 'auto', from: { version: '1.0.1001' }, to: { version: '1.0.1000' } },
      { outcome: 'swapped', by: 'admin' },
    ]);
    expect(history[0]?.reason).toMatch(reason);
    expect(refused).toMatchObject([{ digest: history[0]?.from.digest }]);
    expect(versions[0]).toMatchObject({ version: '1.0.1000' });
    await plugin.stop();
  });

  test('rolls back a version that answers with server errors', async () => {
    const plugin = await start();
    putVersion(library, 1001, 'error');
    await plugin.swap();
    expect(await plugin.version()).toBe(500);
    // On a busy machine the rollback comes before the fifth call.
    for (let call = 1; call < 5; call += 1) await plugin.version();
    await eventually(() => plugin.status.trial === null, 'the rollback');
    expect(await plugin.version()).toBe('1.0.1000');
    await plugin.stop();
  });

  test('rolls back a failing version before it is quarantined', async () => {
    const plugin = await start(
      'probation: { duration: 1h, max_crashes: 1000 }',
      'quarantine: { failures: 2, window: 1h }',
    );
    putVersion(library, 1001, 'crash');
    await plugin.swap();
    for (let call = 0; call < 2; call += 1) await plugin.hooked(1);
    await eventually(() => plugin.status.version === '1.0.1000', 'the rollback');
    expect(plugin.status.state).toBe('ready');
    await plugin.stop();
  });

  test('that is passed stops the former version', async () => {
    const plugin = await start('probation: { duration: 50ms }');
    const before = plugin.pids;
    putVersion(library, 1001);
    await plugin.swap();
    await eventually(() => !before.some(isRunning), 'the end of the former version');
    expect(plugin.status).toMatchObject({ trial: null, version: '1.0.1001' });
    await eventually(() => plugin.status.versions.length === 1, 'one version');
    await plugin.stop();
  });

  test('ends with the next swap, and a rollback then returns to the version that served last', async () => {
    const plugin = await start();
    const first = plugin.pids;
    putVersion(library, 1001);
    await plugin.swap();
    putVersion(library, 1002, 'crash');
    await plugin.swap();
    await eventually(() => !first.some(isRunning), 'the end of the first version');
    while (plugin.status.trial !== null) await plugin.hooked(1);
    expect(await plugin.version()).toBe('1.0.1001');
    await plugin.stop();
  });
});

describe('a canary', () => {
  const CANARY = 'canary: { percent: 25%, duration: 1h }, probation: { duration: 1h, min_calls: 5 }';

  test('gets an even share of the requests, and each request sees one version from beginning to end', async () => {
    const plugin = await start(CANARY);
    putVersion(library, 1001);
    expect(await plugin.swap()).toBe('canary');
    const seen = await plugin.hooked(12);
    expect(seen.filter((version) => version === '1.0.1001')).toHaveLength(3);
    expect(seen.slice(0, 4).filter((version) => version === '1.0.1001')).toHaveLength(1);
    expect(plugin.status).toMatchObject({
      version: '1.0.1000',
      trial: { stage: 'canary', percent: 25 },
      versions: [{ role: 'serving' }, { role: 'canary', version: '1.0.1001' }],
    });
    await plugin.rollBack();
    expect(new Set(await plugin.hooked(8))).toEqual(new Set(['1.0.1000']));
    const { history } = await plugin.history();
    expect(history).toMatchObject([
      { outcome: 'rolled_back', by: 'admin', reason: 'canary: requested by an operator' },
    ]);
    await plugin.stop();
  });

  test('that passes gets all requests', async () => {
    const plugin = await start('canary: { percent: 25%, duration: 50ms }, probation: { duration: 1h }');
    putVersion(library, 1001);
    await plugin.swap();
    await eventually(() => plugin.status.trial?.stage === 'probation', 'the end of the canary');
    expect(new Set(await plugin.hooked(5))).toEqual(new Set(['1.0.1001']));
    await eventually(() => plugin.status.lastSwap?.outcome === 'swapped', 'the record');
    expect(plugin.status.lastSwap?.steps).toMatchObject({
      copy: expect.any(Number),
      start: expect.any(Number),
      health: expect.any(Number),
      canary: expect.any(Number),
      switch: expect.any(Number),
    });
    await plugin.stop();
  });

  test.each(['crash', 'error', 'slow'])(
    'that fails by %s is rolled back and gets no more requests',
    async (behaviour) => {
      const plugin = await start(CANARY);
      putVersion(library, 1001, behaviour);
      await plugin.swap();
      while (plugin.status.trial !== null) await plugin.hooked(4);
      expect(new Set(await plugin.hooked(8))).toEqual(new Set(['1.0.1000']));
      const { history, refused } = await plugin.history();
      expect(history).toMatchObject([{ outcome: 'rolled_back', by: 'auto', from: { version: '1.0.1001' } }]);
      expect(refused).toHaveLength(1);
      await plugin.stop();
    },
  );

  test('ends the probation of the serving version', async () => {
    const plugin = await start('canary: { percent: 25%, duration: 100ms }, probation: { duration: 1h }');
    const first = plugin.pids;
    putVersion(library, 1001);
    await plugin.swap();
    await eventually(() => plugin.status.trial?.stage === 'probation', 'the end of the canary');
    expect(first.every(isRunning)).toBe(true);
    putVersion(library, 1002);
    expect(await plugin.swap()).toBe('canary');
    await eventually(() => !first.some(isRunning), 'the end of the version that stood by');
    await plugin.stop();
  });

  test('is replaced by another swap', async () => {
    const plugin = await start(CANARY);
    putVersion(library, 1001);
    await plugin.swap();
    const [canary] = plugin.status.versions.filter(({ role }) => role === 'canary');
    putVersion(library, 1002);
    expect(await plugin.swap()).toBe('canary');
    expect(plugin.status.versions).toContainEqual(
      expect.objectContaining({ role: 'canary', version: '1.0.1002' }),
    );
    const pids = canary?.processes.map(({ pid }) => pid) ?? [];
    expect(pids).not.toEqual([]);
    await eventually(() => !pids.some(isRunning), 'the end of the first canary');
    expect((await plugin.history()).refused).toEqual([]);
    await plugin.stop();
  });
});

describe('a rollback', () => {
  test('by an operator is immediate during a probation; later it starts the stored copy', async () => {
    const plugin = await start();
    const [good] = plugin.pids;
    putVersion(library, 1001);
    await plugin.swap();
    await plugin.rollBack();
    expect(plugin.pids[0]).toBe(good);
    expect(await plugin.version()).toBe('1.0.1000');
    putVersion(library, 1002);
    await plugin.swap();
    putVersion(library, 1003);
    await plugin.swap();
    // The version that was rolled back is skipped.
    await plugin.rollBack('2');
    expect(await plugin.version()).toBe('1.0.1000');
    expect((await plugin.history()).history[0]).toMatchObject({
      outcome: 'rolled_back',
      reason: 'requested by an operator',
    });
    await plugin.stop();
  });

  test('reaches a version by its digest, and is refused for a version that is not kept', async () => {
    const plugin = await start('keep: 2, probation: { duration: 0 }');
    const first = plugin.status.digest ?? '';
    putVersion(library, 1001);
    await plugin.swap();
    const second = plugin.status.digest ?? '';
    putVersion(library, 1002);
    await plugin.swap();
    await expect(plugin.rollBack(first.slice(0, 12))).rejects.toMatchObject({ code: 'BW_PLUGIN_STATE' });
    await expect(plugin.rollBack('7')).rejects.toMatchObject({ code: 'BW_PLUGIN_STATE' });
    await plugin.rollBack(second.slice(0, 12));
    expect(plugin.status).toMatchObject({ version: '1.0.1001', digest: second });
    await plugin.stop();
  });

  test('survives a restart of the server until the file changes', async () => {
    const plugin = await start();
    putVersion(library, 1001);
    await plugin.swap();
    await plugin.rollBack();
    await plugin.stop();

    const again = await start(LONG, '', plugin.name);
    expect(await again.version()).toBe('1.0.1000');
    expect(again.server.log).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        message: expect.stringContaining('was rolled back before: requested by an operator'),
      }),
    );
    // An explicit swap starts the version again.
    expect(await again.swap()).toBe('swapped');
    expect(await again.version()).toBe('1.0.1001');
    await again.rollBack();
    await again.stop();

    putVersion(library, 1002);
    const changed = await start(LONG, '', plugin.name);
    expect(await changed.version()).toBe('1.0.1002');
    expect((await changed.history()).versions.map(({ version }) => version)).toEqual([
      '1.0.1002',
      '1.0.1000',
      '1.0.1001',
    ]);
    await changed.stop();
  });

  test('is refused with the reason when there is no earlier version', async () => {
    const plugin = await start();
    await expect(plugin.rollBack()).rejects.toMatchObject({ code: 'BW_PLUGIN_STATE' });
    await plugin.stop();
  });
});

test('at most `swap.keep` versions are kept, and no version in use is removed', async () => {
  const before = new Set(copies());
  putVersion(library, 3000);
  const plugin = await start('keep: 2, probation: { duration: 0 }');
  const shared = await start('keep: 1, probation: { duration: 0 }');
  for (let number = 3001; number <= 3005; number += 1) {
    putVersion(library, number);
    await plugin.swap();
  }
  const added = (): string[] => copies().filter((name) => !before.has(name));
  // Two versions of this plugin, and the first version, which the other plugin runs.
  await eventually(() => added().length === 3, 'three copies');
  expect(added()).toContain(`${shared.status.digest}.so`);
  await shared.swap();
  await eventually(() => added().length === 2, 'two copies');
  await plugin.stop();
  await shared.stop();
});

describe('a watch', () => {
  const settings = 'server: { port: 0, reload: { interval: 20ms } }';

  test('swaps a complete file once, and does not swap to a version that was rolled back', async () => {
    const plugin = await start(`watch: true, ${LONG}`, '', `watched${count++}`, settings);
    const bytes = versionOf(4001);
    // Written in pieces, as by a linker.
    writeFileSync(library, '');
    for (let at = 0; at < bytes.length; at += 8192) {
      appendFileSync(library, bytes.subarray(at, at + 8192));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await eventually(() => plugin.status.version === '1.0.4001', 'the swap');
    await plugin.rollBack();
    // The same bytes in another file are the same version.
    putVersion(library, 4001);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(plugin.status.version).toBe('1.0.1000');
    putVersion(library, 4002);
    await eventually(() => plugin.status.version === '1.0.4002', 'the next swap');
    const { history } = await plugin.history();
    const seen = history
      .filter(({ outcome }) => outcome !== 'rejected')
      .map(({ by, outcome }) => `${by} ${outcome}`);
    expect(seen).toEqual(['watch swapped', 'admin rolled_back', 'watch swapped']);
    await plugin.stop();
  });
});

describe('a reload', () => {
  const yaml = (path: string, config = '{}', priority = 100): string => `
endpoints: { version: { path: /version, plugin: reloaded } }
plugins:
  reloaded: { path: ${path}, config: ${config}, priority: ${priority}, swap: { ${LONG} } }
`;

  test('swaps a changed library with a probation, and does not start a version that was rolled back', async () => {
    const server = await startServer(yaml(library));
    const plugin = new Swapped(server, 'reloaded');
    putVersion(library, 5001);
    await server.change(yaml(library));
    expect(plugin.status).toMatchObject({
      version: '1.0.5001',
      trial: { stage: 'probation' },
      lastSwap: { by: 'reload', outcome: 'swapped' },
    });
    // The policy changes for both versions.
    await server.change(yaml(library, '{}', 50));
    expect(plugin.status).toMatchObject({ trial: { stage: 'probation' }, priority: 50 });
    await plugin.rollBack();
    expect(plugin.status).toMatchObject({ version: '1.0.1000', priority: 50 });

    expect((await server.change(yaml(library, '{}', 50))).plugins).toMatchObject([{ action: 'keep' }]);
    expect(plugin.status.version).toBe('1.0.1000');
    // New processes for another reason also run the serving version.
    await server.change(yaml(library, '{ a: 1 }'));
    expect(plugin.status).toMatchObject({ version: '1.0.1000', trial: null });
    expect(await plugin.version()).toBe('1.0.1000');
    putVersion(library, 5002);
    await server.change(yaml(library, '{ a: 1 }'));
    expect(await plugin.version()).toBe('1.0.5002');
    await plugin.stop();
  });

  test('that changes the configuration or disables the plugin ends a canary', async () => {
    const canary = 'canary: { percent: 50%, duration: 1h }';
    const text = (more: string): string =>
      `plugins: { reloaded2: { path: ${library}, swap: { ${canary} }, ${more} } }`;
    const server = await startServer(text('config: {}'));
    const plugin = new Swapped(server, 'reloaded2');
    for (const next of ['config: { a: 1 }', 'enabled: false']) {
      putVersion(library, 6000 + count++);
      expect(await plugin.swap()).toBe('canary');
      const pids = plugin.status.versions.flatMap(({ role, processes }) =>
        role === 'canary' ? processes.map(({ pid }) => pid) : [],
      );
      expect(pids).not.toEqual([]);
      await server.change(text(next));
      expect(plugin.status.trial?.stage).not.toBe('canary');
      await eventually(() => !pids.some(isRunning), 'the end of the canary');
    }
    await expect(plugin.swap()).rejects.toMatchObject({ code: 'BW_PLUGIN_STATE' });
    await plugin.stop();
  });
});
