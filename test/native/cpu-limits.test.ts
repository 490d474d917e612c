import { afterEach, describe, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { processorTimeMs } from '../../dist/native/process-clock.js';
import { SupervisedPlugin, type Supervision, until } from './supervised-plugin.js';

const open: SupervisedPlugin[] = [];
afterEach(() => Promise.all(open.splice(0).map((plugin) => plugin.close())));

async function supervise(supervision: Supervision): Promise<SupervisedPlugin> {
  const plugin = await SupervisedPlugin.open({ callMs: 60_000, ...supervision });
  open.push(plugin);
  return plugin;
}

describe('limits.cpu_time', () => {
  test('ends a call that computes for longer; the next one is answered', async () => {
    const plugin = await supervise({ options: { callCpuMs: 200 } });
    const worker = plugin.worker();
    const { error, id } = await plugin.call('/compute', '3600000');
    expect(error).toMatchObject({
      code: 'BW_PLUGIN_TIMEOUT',
      outcome: 'timeout',
      phase: 'process_endpoint',
      requestId: id,
    });
    expect(error?.message).toMatch(
      /used \d+\.\d+ s of CPU time in one call, limits\.cpu_time allows 0\.2 s$/,
    );
    expect(plugin.failures).toHaveLength(1);
    expect(await plugin.call('/ok')).toMatchObject({ error: null });
    expect(plugin.worker()).not.toBe(worker);
  });

  test('counts calls one by one, and not the time they wait', async () => {
    const plugin = await supervise({ options: { callCpuMs: 400 } });
    const worker = plugin.worker();
    // Together they compute for three times the limit, in one process.
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => plugin.call('/compute', '100')));
    outcomes.push(await plugin.call('/sleep', '1000'));
    expect(outcomes.filter(({ error }) => error !== null)).toEqual([]);
    expect(plugin.worker()).toBe(worker);
    expect(processorTimeMs(worker ?? 0)).toBeGreaterThan(1200);
  });

  test('0 allows any amount', async () => {
    const plugin = await supervise({ options: { callCpuMs: 0 } });
    expect(await plugin.call('/compute', '700')).toMatchObject({ error: null });
  });
});

test('a spare that computes is ended, and said so; the worker serves on', async () => {
  const plugin = await supervise({
    options: {
      libraryPath: compilePlugin('spins_in_spare'),
      idleCpuPercent: 20,
      restart: { delayMs: 1, maxDelayMs: 3_600_000 },
    },
  });
  const spare = (): number | undefined => plugin.processes().find(({ state }) => state === 'spare')?.pid;
  const worker = plugin.worker();
  await until(() => spare() !== undefined, 'a spare');
  await until(
    () => [...plugin.begun].some((text) => text.includes('spare process was ended')),
    'its end',
    40_000,
  );
  expect([...plugin.begun].join()).toMatch(
    /plugin supervised: its spare process was ended: it used more than 20 % of a core between calls for 10 s/,
  );
  await until(() => spare() === undefined, 'no spare');
  // It is not tried again before restart.max_delay has passed, and nobody is charged.
  expect(plugin.failures).toEqual([]);
  expect(plugin.worker()).toBe(worker);
  expect(await plugin.call('/ok')).toMatchObject({ error: null });
}, 60_000);
