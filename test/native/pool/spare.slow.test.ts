import { afterEach, expect, test } from '@jest/globals';
import { compilePlugin } from '../../fixtures/compile.js';
import { SupervisedPlugin, type Supervision, until } from './supervised-plugin.js';

const MIB = 1024 ** 2;
const open: SupervisedPlugin[] = [];
afterEach(() => Promise.all(open.splice(0).map((plugin) => plugin.close())));

/** Opens a plugin and expects its spare to be killed. The next spare starts an hour later at the earliest. */
async function expectSpareEnded(supervision: Supervision, message: RegExp): Promise<void> {
  const plugin = await SupervisedPlugin.open({
    callMs: 60_000,
    ...supervision,
    options: { ...supervision.options, restart: { delayMs: 3_600_000, maxDelayMs: 3_600_000 } },
  });
  open.push(plugin);
  const spare = (): number | undefined => plugin.processes().find(({ state }) => state === 'spare')?.pid;
  const line = (): string | undefined =>
    [...plugin.begun].find((text) => text.includes('its spare process was '));
  const worker = plugin.worker();
  await until(() => line() !== undefined, 'its end', 40_000);
  expect(line()).toMatch(message);
  await until(() => spare() === undefined, 'no spare');
  // The end is not counted as a failure, and the worker keeps serving.
  expect(plugin.failures).toEqual([]);
  expect(plugin.worker()).toBe(worker);
  expect(await plugin.call('/ok')).toMatchObject({ error: null });
}

test('ends a spare that uses CPU time, with a log line', async () => {
  await expectSpareEnded(
    { options: { libraryPath: compilePlugin('spins_in_spare'), idleCpuPercent: 1 } },
    /^plugin supervised: its spare process was ended: it used more than 1 % of a core between calls for 10 s$/,
  );
}, 60_000);

test('ends a spare that exceeds its memory limit, with a log line', async () => {
  await expectSpareEnded(
    { memoryBytes: 32 * MIB, options: { libraryPath: compilePlugin('fills_spare') } },
    /^plugin supervised: its spare process was killed: it held 6[4-9]\d{6,7} bytes$/,
  );
}, 60_000);
