import { chmodSync, copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { RUNNER } from '../../runner/runner-conversation.js';
import { inFlight, SupervisedPlugin, type Supervision, until } from './supervised-plugin.js';

const open: SupervisedPlugin[] = [];
afterEach(() => Promise.all(open.splice(0).map((plugin) => plugin.close())));

async function supervise(supervision: Supervision = {}): Promise<SupervisedPlugin> {
  const plugin = await SupervisedPlugin.open(supervision);
  open.push(plugin);
  return plugin;
}

describe('exactly once', () => {
  test('a hundred crashes under 64 calls in flight fail only the hundred calls that crashed', async () => {
    const plugin = await supervise();
    const isCrash = (index: number): boolean => index % 10 === 7;
    const outcomes = await inFlight(64, 1000, (index) => plugin.call(isCrash(index) ? '/crash' : '/ok'));

    const [crashes, others] = [true, false].map((crash) =>
      outcomes.filter((_, index) => isCrash(index) === crash),
    ) as [typeof outcomes, typeof outcomes];
    expect(others.filter(({ id, answer }) => answer !== `"${id}"`)).toEqual([]);
    expect(crashes.map(({ error }) => error?.code)).toEqual(Array(100).fill('BW_PLUGIN_CRASHED'));
    // The post-mortem names the request, and each process was reported once.
    expect(crashes.map(({ error }) => error?.requestId)).toEqual(crashes.map(({ id }) => id));
    expect(plugin.failures.map(({ requestId }) => requestId).sort()).toEqual(
      crashes.map(({ id }) => id).sort(),
    );
    expect(outcomes.map(({ id }) => plugin.executed(id))).toEqual(Array(1000).fill(1));
  });

  test('exit(0) in a call is a failure of that call', async () => {
    const plugin = await supervise();
    const outcomes = await inFlight(8, 8, (index) => plugin.call(index === 3 ? '/exit' : '/ok'));
    expect(outcomes.map(({ error }) => error?.code)).toEqual(
      Array.from({ length: 8 }, (_, index) => (index === 3 ? 'BW_PLUGIN_EXITED' : undefined)),
    );
  });

  test('answers that were computed before a crash are delivered', async () => {
    const plugin = await supervise();
    // Long answers exceed the ring that the server reads after a crash; the process dies while they arrive.
    for (const bytes of [0, 1000, 60_000, 300_000]) {
      const outcomes = await inFlight(5, 5, (index) =>
        index === 4 ? plugin.call('/crash') : plugin.call('/long', String(bytes)),
      );
      expect(outcomes.map(({ answer }) => answer?.length ?? null)).toEqual([
        ...Array<number>(4).fill(bytes + 2),
        null,
      ]);
    }
  });

  test('answers that were computed before a call hangs are delivered, and only the hanging call is charged', async () => {
    const plugin = await supervise({ callMs: 150 });
    const outcomes = await inFlight(6, 6, (index) => plugin.call(index === 5 ? '/hang' : '/ok'));
    expect(outcomes.map(({ error }) => error?.code)).toEqual([...Array<undefined>(5), 'BW_PLUGIN_TIMEOUT']);
    expect(outcomes.map(({ id }) => plugin.executed(id))).toEqual(Array(6).fill(1));
    await until(() => plugin.failures.length === 1, 'the failure');
    expect(plugin.failures[0]).toMatchObject({ code: 'BW_PLUGIN_TIMEOUT', requestId: outcomes[5]?.id });
  });

  test('a process killed from outside between calls is charged to no call', async () => {
    const plugin = await supervise();
    process.kill(plugin.worker() ?? 0, 'SIGKILL');
    expect(await plugin.call('/ok')).toMatchObject({ error: null });
    await until(() => plugin.failures.length === 1, 'the failure');
    expect(plugin.failures[0]).toMatchObject({
      code: 'BW_PLUGIN_CRASHED',
      phase: 'idle',
      requestId: undefined,
    });
  });
});

describe('calls that nobody waits for', () => {
  test('a call cancelled before it began is not run; a running call continues', async () => {
    const plugin = await supervise();
    const pid = plugin.worker();
    const running = plugin.start('/sleep', '100');
    const waiting = plugin.start('/ok');
    await until(() => plugin.begun.has(running.id), 'the beginning of the first call');
    running.cancel();
    waiting.cancel();
    expect(await plugin.call('/ok')).toMatchObject({ error: null });
    expect([plugin.executed(running.id), plugin.executed(waiting.id)]).toEqual([1, 0]);
    expect(plugin.worker()).toBe(pid);
    expect(plugin.failures).toEqual([]);
  });

  test('a call expired before it began is not run, and its process survives', async () => {
    const plugin = await supervise({ callMs: 200 });
    const pid = plugin.worker();
    // Each sleeps less than a call may take, but together they take longer: time in the queue counts.
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => plugin.call('/sleep', '60')));
    const expired = outcomes.filter(({ error }) => error !== null);
    expect(expired.length).toBeGreaterThanOrEqual(4);
    expect(outcomes[0]).toMatchObject({ error: null });
    expect([...new Set(expired.map(({ error }) => error?.code))]).toEqual(['BW_PLUGIN_OVERLOADED']);
    expect(await plugin.call('/ok')).toMatchObject({ error: null });
    // At most one of the expired calls had begun.
    expect(expired.filter(({ id }) => plugin.executed(id) > 0).length).toBeLessThanOrEqual(1);
    expect(plugin.worker()).toBe(pid);
    expect(plugin.failures).toEqual([]);
  });

  test('a call that hangs ends its process at the deadline; the calls behind it are served', async () => {
    const plugin = await supervise({ callMs: 250 });
    const hanging = plugin.call('/hang');
    await new Promise((resolve) => setTimeout(resolve, 100));
    const behind = await inFlight(10, 10, () => plugin.call('/ok'));
    const { id, error } = await hanging;
    expect(error?.code).toBe('BW_PLUGIN_TIMEOUT');
    expect(behind.filter((outcome) => outcome.answer !== `"${outcome.id}"`)).toEqual([]);
    expect(plugin.failures).toMatchObject([{ code: 'BW_PLUGIN_TIMEOUT', requestId: id }]);
  });

  test('a stopped process is ended, whether or not it had begun its call', async () => {
    const plugin = await supervise({ callMs: 200 });
    const pid = plugin.worker() ?? 0;
    process.kill(pid, 'SIGSTOP');
    const { error } = await plugin.call('/ok');
    expect(error?.code).toMatch(/^BW_PLUGIN_(TIMEOUT|OVERLOADED)$/);
    await until(() => plugin.worker() !== pid && plugin.worker() !== undefined, 'the replacement');
    expect(await plugin.call('/ok')).toMatchObject({ error: null });
    expect(plugin.failures.map(({ code }) => code)).toEqual(['BW_PLUGIN_TIMEOUT']);
  });

  test('a pause of the server expires no call of a plugin', async () => {
    const plugin = await supervise({ callMs: 100 });
    const pid = plugin.worker();
    const outcomes = inFlight(32, 32, () => plugin.call('/ok'));
    // The calls leave at the end of this turn of the event loop, and the next turn is blocked.
    await new Promise((resolve) => setImmediate(resolve));
    const busyUntil = performance.now() + 300;
    while (performance.now() < busyUntil);
    expect((await outcomes).filter(({ error }) => error !== null)).toEqual([]);
    expect(plugin.worker()).toBe(pid);
    expect(plugin.failures).toEqual([]);
  });
});

describe('recycling', () => {
  test('by calls: loses no call and runs none twice', async () => {
    const plugin = await supervise({ options: { recycleCalls: 100 } });
    const first = plugin.worker();
    const outcomes = await inFlight(64, 2000, () => plugin.call('/ok'));
    expect(outcomes.filter(({ id, answer }) => answer !== `"${id}"`)).toEqual([]);
    expect(outcomes.filter(({ id }) => plugin.executed(id) !== 1)).toEqual([]);
    expect(plugin.worker()).not.toBe(first);
    expect(plugin.failures).toEqual([]);
  });

  test('a call may take longer than a process has for shutdown', async () => {
    const plugin = await supervise({ options: { recycleCalls: 2, shutdownTimeoutMs: 100 } });
    const outcomes = await Promise.all([
      plugin.call('/sleep', '400'),
      plugin.call('/sleep', '400'),
      plugin.call('/ok'),
      plugin.call('/ok'),
    ]);
    expect(outcomes.map(({ error }) => error?.code ?? null)).toEqual([null, null, null, null]);
  });

  test('by memory: replaces a leaking process between two calls', async () => {
    const plugin = await supervise({ options: { recycleMemoryBytes: 32 * 1024 * 1024 } });
    const first = plugin.worker();
    const outcomes = await inFlight(4, 12, () => plugin.call('/long', String(4 * 1024 * 1024)));
    expect(outcomes.map(({ error }) => error)).toEqual(Array(12).fill(null));
    await until(() => plugin.worker() !== first, 'the replacement');
    await until(() => plugin.processes().every(({ pid }) => pid !== first), 'the end of the first process');
    expect(await plugin.call('/ok')).toMatchObject({ error: null });
    expect(plugin.failures).toEqual([]);
  });

  test('by memory: applies a lowered limit to an idle process', async () => {
    const plugin = await supervise();
    const first = plugin.worker();
    await until(() => plugin.processes().every(({ usage }) => usage !== null), 'the first look');
    plugin.adjust({ recycleMemoryBytes: 1 });
    await until(() => plugin.worker() !== first, 'the replacement');
    expect(plugin.failures).toEqual([]);
  });
});

describe('processes', () => {
  test('three instances share the calls, and a spare is ready', async () => {
    const plugin = await supervise({ options: { instances: 3 } });
    await until(() => plugin.processes().some(({ state }) => state === 'spare'), 'the spare');
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => plugin.call('/sleep', '100')));
    expect(outcomes.every(({ error }) => error === null)).toBe(true);
    const workers = plugin.processes().filter(({ state }) => state === 'ready');
    expect(workers.map(({ calls }) => calls)).toEqual([2, 2, 2]);
  });

  test('calls avoid a slow instance', async () => {
    const plugin = await supervise({ options: { instances: 2 } });
    const { id, outcome } = plugin.start('/sleep', '60000');
    await until(() => plugin.begun.has(id), 'the slow call');
    const outcomes = await inFlight(1, 50, () => plugin.call('/ok'));
    expect(outcomes.filter(({ error }) => error !== null)).toEqual([]);
    const workers = plugin.processes().filter(({ state }) => state === 'ready');
    expect(workers.map(({ calls }) => calls).sort()).toEqual([0, 50]);
    await plugin.close();
    await outcome;
  });

  test('the spare stays uninitialized until it is needed, and takes over with its library loaded', async () => {
    const plugin = await supervise();
    await until(() => plugin.processes().some(({ state }) => state === 'spare'), 'the spare');
    const spare = plugin.processes().find(({ state }) => state === 'spare');
    // Its sandbox is active and its library loaded; it waits for the next frame.
    const status = (): string => readFileSync(`/proc/${spare?.pid}/status`, 'latin1');
    await until(() => /^State:\s+S/m.test(status()) && /^Seccomp:\s+2/m.test(status()), 'rest');
    await plugin.call('/crash');
    expect(await plugin.call('/ok')).toMatchObject({ error: null });
    expect(plugin.worker()).toBe(spare?.pid);
  });

  test('a spare that dies is replaced', async () => {
    const plugin = await supervise();
    const spare = (): number | undefined => plugin.processes().find(({ state }) => state === 'spare')?.pid;
    await until(() => spare() !== undefined, 'the spare');
    const first = spare() ?? 0;
    process.kill(first, 'SIGKILL');
    await until(() => spare() !== undefined && spare() !== first, 'another spare');
    expect(plugin.failures).toEqual([]);
  });

  test('a health check asks a serving process, and charges no process when there is none', async () => {
    const plugin = await supervise();
    expect(await plugin.health()).toMatchObject({ status: 0 });
    const crash = plugin.call('/crash');
    await expect(plugin.health()).rejects.toMatchObject({ code: 'BW_PLUGIN_UNAVAILABLE' });
    expect(await crash).toMatchObject({ error: { code: 'BW_PLUGIN_CRASHED' } });
  });

  test('a runner that cannot be started is reported and retried, and the server continues', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'backworks-runner-'));
    const [runner, away] = [join(directory, 'runner'), join(directory, 'away')];
    chmodSync(directory, 0o755);
    copyFileSync(RUNNER, runner);
    process.env['BACKWORKS_RUNNER'] = runner;
    try {
      // The second of the calls below waits in vain for a process, until its deadline.
      const plugin = await supervise({ callMs: 3000 });
      renameSync(runner, away);
      // Worker and spare end; no other worker or spare can be started.
      await Promise.all([plugin.call('/crash'), plugin.call('/crash')]);
      const isReported = (): boolean => plugin.failures.some(({ code }) => code === 'BW_RUNNER_START');
      await until(isReported, 'the report');
      renameSync(away, runner);
      expect(await plugin.call('/ok')).toMatchObject({ error: null });
      await until(() => plugin.recoveries > 0, 'recovery');
    } finally {
      delete process.env['BACKWORKS_RUNNER'];
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
