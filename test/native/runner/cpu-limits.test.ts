import { afterEach, describe, expect, test } from '@jest/globals';
import { processorTimeMs } from '../../../dist/native/process/limits/process-clock.js';
import { SupervisedPlugin, type Supervision } from '../pool/supervised-plugin.js';

const open: SupervisedPlugin[] = [];
afterEach(() => Promise.all(open.splice(0).map((plugin) => plugin.close())));

async function supervise(supervision: Supervision): Promise<SupervisedPlugin> {
  const plugin = await SupervisedPlugin.open({ callMs: 60_000, ...supervision });
  open.push(plugin);
  return plugin;
}

describe('limits.cpu_time', () => {
  test('stops a call that computes too long; the next call is answered', async () => {
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

  test('counts each call separately, without the time it waits', async () => {
    const plugin = await supervise({ options: { callCpuMs: 400 } });
    const worker = plugin.worker();
    // Together, the calls compute for three times the limit, in one process.
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => plugin.call('/compute', '100')));
    outcomes.push(await plugin.call('/sleep', '1000'));
    expect(outcomes.filter(({ error }) => error !== null)).toEqual([]);
    expect(plugin.worker()).toBe(worker);
    expect(processorTimeMs(worker ?? 0)).toBeGreaterThan(1200);
  });

  test('0 means no limit', async () => {
    const plugin = await supervise({ options: { callCpuMs: 0 } });
    expect(await plugin.call('/compute', '700')).toMatchObject({ error: null });
  });
});
