import { afterEach, describe, expect, test } from '@jest/globals';
import { inFlight, type Outcome, SupervisedPlugin, type Supervision, until } from './supervised-plugin.js';

const THREADS = 4;
const open: SupervisedPlugin[] = [];
afterEach(() => Promise.all(open.splice(0).map((plugin) => plugin.close())));

async function concurrent(supervision: Supervision = {}): Promise<SupervisedPlugin> {
  const plugin = await SupervisedPlugin.open({
    library: 'concurrent',
    concurrency: THREADS,
    queue: 1000,
    ...supervision,
  });
  open.push(plugin);
  return plugin;
}

const codes = (outcomes: readonly Outcome[]): (string | undefined)[] =>
  outcomes.map(({ error }) => error?.code);
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

describe('concurrent calls', () => {
  test('run in one process, as many as there are threads', async () => {
    const plugin = await concurrent();
    for (let round = 0; round < 10; round += 1) {
      const outcomes = await Promise.all(times(3 * THREADS, () => plugin.call('/meet', String(THREADS))));
      expect(outcomes.map(({ answer }) => answer)).toEqual(outcomes.map(({ id }) => `"${id}"`));
    }
    expect(plugin.processes().filter(({ state }) => state === 'ready')).toHaveLength(1);
  });

  test('are limited to the number of threads', async () => {
    const plugin = await concurrent({ callMs: 300 });
    const outcomes = await Promise.all(times(THREADS + 1, () => plugin.call('/meet', String(THREADS + 1))));
    expect(codes(outcomes)).not.toContain(undefined);
  });

  test('get their own answers, in whatever order the answers come', async () => {
    const plugin = await concurrent();
    const order: string[] = [];
    // It waits for the second call of /meet.
    const slow = plugin.call('/meet', '2').then(({ id }) => order.push(id));
    await until(() => plugin.begun.size === 1, 'the beginning of the slow call');
    const quick = await inFlight(8, 500, () => plugin.call('/ok'));
    order.push('quick');
    await Promise.all([slow, plugin.call('/meet', '2')]);
    expect(order).toEqual(['quick', 'call_1']);
    expect(quick.map(({ answer }) => answer)).toEqual(quick.map(({ id }) => `"${id}"`));
  });

  test('carry payloads of any size completely', async () => {
    const plugin = await concurrent();
    const sizes = [0, 1, 1000, 65_000, 65_536, 200_000, 3_000_000];
    const outcomes = await Promise.all(
      times(5, () => sizes)
        .flat()
        .map((size) => plugin.start('/length', '0', 'x'.repeat(size)).outcome),
    );
    expect(outcomes.map(Number)).toEqual(times(5, () => sizes).flat());
  });

  test('each have their own deadline', async () => {
    const plugin = await concurrent({ callMs: 60_000 });
    const sleeping = plugin.start('/sleep', '200', undefined, 5000);
    await until(() => plugin.begun.has(sleeping.id), 'the beginning of the first call');
    const left = [1000, Infinity, 20_000].map((ms) => plugin.start('/left', '0', undefined, ms).outcome);
    const [short = 0, none, long = 0] = (await Promise.all(left)).map(Number);
    expect(short).toBeLessThanOrEqual(1000);
    expect(none).toBe(-1);
    expect(long).toBeGreaterThan(5000);
    expect(long).toBeLessThanOrEqual(20_000);
    await sleeping.outcome;
  });

  test('each send requests to the server under their own request id', async () => {
    const plugin = await concurrent({
      options: {
        operate: async ({ payload }, caller) => {
          // The other calls have begun by now.
          await new Promise((resolve) => setTimeout(resolve, 5));
          return JSON.stringify([payload, caller?.requestId]);
        },
      },
    });
    const outcomes = await Promise.all(times(5 * THREADS, () => plugin.call('/ask')));
    expect(outcomes.map(({ answer }) => answer)).toEqual(outcomes.map(({ id }) => JSON.stringify([id, id])));
  });

  test('have a stack of usable size', async () => {
    const plugin = await concurrent();
    // Six of the stack's eight MiB.
    expect(await plugin.call('/deep', '6000')).toMatchObject({ error: null });
  });
});

describe('a failure of one of several calls', () => {
  test.each([
    ['/crash', 'BW_PLUGIN_CRASHED'],
    ['/exit', 'BW_PLUGIN_EXITED'],
  ])(
    'by %s is charged to its call; other running calls are lost, and waiting calls are answered',
    async (action, code) => {
      const plugin = await concurrent();
      const running = times(THREADS - 1, () => plugin.call('/sleep', '10000'));
      await until(() => plugin.begun.size === THREADS - 1, 'the beginning of the other calls');
      const [culprit, ...waiting] = await Promise.all([
        plugin.call(action),
        ...times(50, () => plugin.call('/ok')),
      ]);
      const lost = await Promise.all(running);

      expect(culprit?.error).toMatchObject({ code, requestId: culprit?.id, phase: 'process_endpoint' });
      expect(codes(lost)).toEqual(times(THREADS - 1, () => 'BW_PLUGIN_UNAVAILABLE'));
      expect(codes(waiting)).toEqual(times(50, () => undefined));
      expect(plugin.failures).toEqual([{ code, phase: 'process_endpoint', requestId: culprit?.id }]);
      const all = [culprit, ...waiting, ...lost];
      expect(all.map(({ id }) => plugin.executed(id))).toEqual(all.map(() => 1));
    },
  );

  test('by a crash, a hundred times in a thousand calls, costs those calls and the calls running beside them', async () => {
    const plugin = await concurrent();
    const isCrash = (index: number): boolean => index % 10 === 7;
    const outcomes = await inFlight(64, 1000, (index) => plugin.call(isCrash(index) ? '/crash' : '/ok'));

    const crashes = outcomes.filter((_, index) => isCrash(index));
    const others = outcomes.filter((_, index) => !isCrash(index));
    // Two calls may crash at the same time: the second is lost with the process of the first.
    const charged = crashes.filter(({ error }) => error?.code === 'BW_PLUGIN_CRASHED');
    expect(plugin.failures.map(({ requestId }) => requestId).sort()).toEqual(
      charged.map(({ id }) => id).sort(),
    );
    const lost = [...crashes, ...others].filter(({ error }) => error?.code === 'BW_PLUGIN_UNAVAILABLE');
    expect(charged.length + lost.length).toBe(outcomes.filter(({ error }) => error !== null).length);
    expect(lost.length).toBeLessThanOrEqual((THREADS - 1) * charged.length);
    const answered = others.filter(({ error }) => error === null);
    expect(answered.map(({ answer }) => answer)).toEqual(answered.map(({ id }) => `"${id}"`));
    expect(outcomes.filter(({ id }) => plugin.executed(id) > 1)).toEqual([]);
  });

  test('by a crash in the plugin’s own thread is charged once', async () => {
    const plugin = await concurrent();
    const outcomes = await Promise.all([
      ...times(THREADS - 1, () => plugin.call('/sleep', '10000')),
      until(() => plugin.begun.size === THREADS - 1, 'the beginning of the other calls').then(() =>
        plugin.call('/crash-elsewhere'),
      ),
    ]);
    expect(codes(outcomes).sort()).toEqual([
      'BW_PLUGIN_CRASHED',
      ...times(THREADS - 1, () => 'BW_PLUGIN_UNAVAILABLE'),
    ]);
    expect(plugin.failures).toHaveLength(1);
  });

  test('by a hang ends at its deadline and is charged to that call alone', async () => {
    const plugin = await concurrent({ callMs: 1000 });
    const pid = plugin.worker();
    const hang = plugin.call('/hang');
    await until(() => plugin.begun.size === 1, 'its beginning');
    const others = await inFlight(8, 200, () => plugin.call('/ok'));
    expect(codes(others)).toEqual(others.map(() => undefined));
    expect((await hang).error).toMatchObject({ code: 'BW_PLUGIN_TIMEOUT' });
    await until(() => plugin.failures.length === 1, 'the failure');
    expect(plugin.failures[0]).toMatchObject({ code: 'BW_PLUGIN_TIMEOUT', requestId: (await hang).id });
    expect(await plugin.call('/ok')).toMatchObject({ error: null });
    expect(plugin.worker()).not.toBe(pid);
  });

  test('by limits.cpu_time counts only the processor time of the call’s own thread', async () => {
    const plugin = await concurrent({ options: { callCpuMs: 300 } });
    // Meanwhile other threads use more processor time than the limit.
    const sleeping = plugin.call('/sleep', '1500');
    const light = await inFlight(2, 30, () => plugin.call('/compute', '30'));
    expect(codes([await sleeping, ...light])).toEqual(times(31, () => undefined));
    const heavy = await plugin.call('/compute', '100000');
    expect(heavy.error).toMatchObject({ code: 'BW_PLUGIN_TIMEOUT' });
    expect(heavy.error?.message).toContain('limits.cpu_time');
  });
});

describe('a plugin with call threads', () => {
  test('can have a waiting call cancelled, but not a running one', async () => {
    const plugin = await concurrent();
    const running = times(THREADS, () => plugin.start('/sleep', '300'));
    await until(() => plugin.begun.size === THREADS, 'the beginning of all calls');
    const waiting = plugin.start('/ok');
    // One turn, so that the runner has received the call.
    await new Promise(setImmediate);
    waiting.cancel();
    running[0]?.cancel();
    expect(await waiting.outcome).toBe('BW_REQUEST_CANCELLED');
    expect(await running[0]?.outcome).toBe(`"${running[0]?.id}"`);
    expect(plugin.executed(waiting.id)).toBe(0);
    await Promise.all(running.map(({ outcome }) => outcome));
  });

  test('runs serial functions only while no call runs', async () => {
    const plugin = await concurrent();
    let done = false;
    const traffic = inFlight(16, 300, () => plugin.call('/sleep', '3')).finally(() => (done = true));
    const configs: string[] = [];
    for (let round = 1; !done; round += 1) {
      const config = `{"round":${round}}`;
      await plugin.reconfigure(config);
      configs.push((await plugin.call('/config')).answer ?? '');
      expect(configs.at(-1)).toBe(config);
      expect(await plugin.health()).toEqual({ status: 0, text: '' });
    }
    expect(codes(await traffic)).toEqual(times(300, () => undefined));
    await plugin.close();
    expect(plugin.executions.get('overlaps')).toBe(0);
  });

  test('finishes running calls before shutdown()', async () => {
    const plugin = await concurrent();
    const running = times(THREADS, () => plugin.call('/sleep', '300'));
    await until(() => plugin.begun.size === THREADS, 'the beginning of all calls');
    await plugin.close();
    expect(codes(await Promise.all(running))).toEqual(times(THREADS, () => undefined));
    expect(plugin.executions.get('shutdown')).toBe(1);
    expect(plugin.executions.get('overlaps')).toBe(0);
  });

  test('is refused if its library is not thread-safe, with the configuration key and a remedy', async () => {
    await expect(concurrent({ library: 'supervised' })).rejects.toMatchObject({
      code: 'BW_PLUGIN_UNSUPPORTED',
      message: expect.stringContaining('limits.concurrency 4'),
      hint: expect.stringContaining('instances'),
    });
  });

  test('fails with a clear error when the threads do not fit into its memory', async () => {
    const memoryBytes = 8 * 1024 * 1024;
    await expect(concurrent({ concurrency: 64, memoryBytes })).rejects.toMatchObject({
      code: 'BW_PLUGIN_LOAD',
      message: expect.stringContaining('threads for its calls cannot be started'),
      hint: expect.stringContaining('limits.concurrency'),
    });
  });

  test('sends calls to the instance with fewer calls', async () => {
    const plugin = await concurrent({ options: { instances: 2 } });
    const outcomes = await Promise.all(times(2 * THREADS, () => plugin.call('/meet', String(THREADS))));
    expect(codes(outcomes)).toEqual(times(2 * THREADS, () => undefined));
    const calls = plugin.processes().flatMap(({ state, calls: made }) => (state === 'ready' ? [made] : []));
    expect(calls).toEqual([THREADS, THREADS]);
  });
});

test('runs no call twice when its processes are killed repeatedly under load', async () => {
  const plugin = await concurrent({ options: { instances: 2 } });
  let done = false;
  let kills = 0;
  const killing = (async () => {
    while (!done) {
      const victim = plugin.processes().find(({ state }) => state === 'ready');
      if (victim !== undefined) {
        kills += 1;
        try {
          process.kill(victim.pid, 'SIGKILL');
        } catch {
          // An earlier kill has already ended the process.
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  const outcomes = await inFlight(64, 4000, (index) => plugin.call(index % 5 === 0 ? '/sleep' : '/ok', '2'));
  done = true;
  await killing;
  expect(kills).toBeGreaterThan(0);
  expect(outcomes.filter(({ id }) => plugin.executed(id) > 1)).toEqual([]);
  const answered = outcomes.filter(({ error }) => error === null);
  expect(answered.filter(({ id, answer }) => answer !== `"${id}"` || plugin.executed(id) !== 1)).toEqual([]);
  // Each kill is charged to one running call, and costs the calls that ran beside it.
  const charged = outcomes.filter(({ error }) => error?.code === 'BW_PLUGIN_CRASHED');
  expect(charged.length).toBeLessThanOrEqual(kills);
  const failed = outcomes.filter(({ error }) => error !== null);
  expect(failed.length).toBeLessThanOrEqual(kills * THREADS);
});
