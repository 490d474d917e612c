import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { copyFileSync, mkdtempSync, rmSync, chmodSync } from 'node:fs';
import { parseConfig, type PluginFailure } from '../../../dist/index.js';
import { InProcessPlugin } from '../../../dist/native/in-process/in-process.js';
import { IsolatedPlugin } from '../../../dist/native/pool/isolated.js';
import type { NativePlugin, NativePluginOptions, PluginLogLine } from '../../../dist/native/plugin.js';
import { adjustableSettings } from '../../../dist/plugins/native-settings.js';
import { sandboxOf } from '../../../dist/plugins/sandbox-of.js';
import { compilePlugin } from '../../fixtures/compile.js';
import { eventually } from '../../fixtures/server.js';

const directory = mkdtempSync(join(tmpdir(), 'backworks-reconfigure-'));
const opened: NativePlugin[] = [];
afterAll(() => rmSync(directory, { recursive: true, force: true }));
afterEach(async () => {
  await Promise.all(opened.splice(0).map((plugin) => plugin.close()));
});

interface Answer {
  config: Record<string, unknown>;
  pid: number;
  reconfigured: number;
}

function optionsOf(
  fixture: string,
  settings: string,
  lines: PluginLogLine[],
): { options: NativePluginOptions; failures: string[] } {
  // When the server runs as root, its runners run as another user.
  chmodSync(directory, 0o755);
  const libraryPath = join(directory, `${fixture}.so`);
  copyFileSync(compilePlugin(fixture), libraryPath);
  const { config } = parseConfig(`plugins: { any: { path: /x, ${settings} } }`, { directory: '/' });
  const policy = config.plugins[0]!;
  const failures: string[] = [];
  const options: NativePluginOptions = {
    name: 'any',
    libraryPath,
    configJson: '{"first":1}',
    sandbox: sandboxOf(policy),
    environment: {},
    instances: policy.instances,
    concurrency: policy.limits.concurrency,
    replyBytesMax: policy.limits.replyBytes,
    ...adjustableSettings(policy),
    events: {
      log: (line) => void lines.push(line),
      metric: () => undefined,
      failed: ({ code }) => void failures.push(code),
      recovered: () => undefined,
      refused: () => undefined,
    },
  };
  return { options, failures };
}

async function open(
  settings = '',
  fixture = 'reconfigurable',
): Promise<{ plugin: IsolatedPlugin; lines: PluginLogLine[]; failures: string[] }> {
  const lines: PluginLogLine[] = [];
  const { options, failures } = optionsOf(fixture, settings, lines);
  const plugin = await IsolatedPlugin.open(options);
  opened.push(plugin);
  return { plugin, lines, failures };
}

async function ask(plugin: NativePlugin): Promise<Answer> {
  const ticket = {
    deadlineAtMs: Infinity,
    requestId: null,
    callers: [],
    trace: null,
    onStop: () => undefined,
  };
  return JSON.parse(String(await plugin.call('process_endpoint', ['/', 'GET', '{}'], ticket))) as Answer;
}

/** One answer from every worker: waiting calls go to the worker with the fewest calls. */
async function askAll(plugin: IsolatedPlugin): Promise<Map<number, Answer>> {
  const count = plugin.processes().filter(({ state }) => state === 'ready').length;
  const answers = new Map<number, Answer>();
  while (answers.size < count) {
    for (const answer of await Promise.all(Array.from({ length: 2 * count }, () => ask(plugin)))) {
      answers.set(answer.pid, answer);
    }
  }
  return answers;
}

const configs = async (plugin: IsolatedPlugin): Promise<unknown[]> =>
  [...(await askAll(plugin)).values()].map(({ config }) => config);
const pids = (plugin: IsolatedPlugin): number[] =>
  plugin
    .processes()
    .filter(({ state }) => state === 'ready')
    .map(({ pid }) => pid)
    .sort();
const refusal = (plugin: NativePlugin, config: object): Promise<PluginFailure> =>
  plugin.reconfigure(JSON.stringify(config)).then(
    () => Promise.reject(new Error('the plugin accepted the configuration')),
    (error: PluginFailure) => error,
  );

describe('reconfigure', () => {
  test('reaches every process without replacing it; the spare and later processes start with the new configuration', async () => {
    const { plugin, failures } = await open('instances: 3');
    await eventually(() => plugin.processes().some(({ state }) => state === 'spare'), 'the spare');
    const before = pids(plugin);
    await plugin.reconfigure('{"second":2}');
    expect(pids(plugin)).toEqual(before);
    for (const answer of (await askAll(plugin)).values()) {
      expect(answer).toMatchObject({ config: { second: 2 }, reconfigured: 1 });
    }
    process.kill(before[0]!, 'SIGKILL');
    await eventually(() => failures.length === 1 && pids(plugin).length === 3, 'another worker');
    const answers = [...(await askAll(plugin)).values()];
    expect(answers.map(({ config }) => config)).toEqual(Array(3).fill({ second: 2 }));
    expect(answers.map(({ reconfigured }) => reconfigured).sort()).toEqual([0, 1, 1]);
    await plugin.restart();
    expect(await configs(plugin)).toEqual(Array(3).fill({ second: 2 }));
  });

  test('keeps the former configuration in all three processes when one rejects the new one, with the reason', async () => {
    const { plugin, failures } = await open('instances: 3');
    const before = pids(plugin);
    const error = await refusal(plugin, { only: before[0] });
    expect(error).toMatchObject({ code: 'BW_PLUGIN_RECONFIGURE', phase: 'reconfigure' });
    expect(error.message).toContain('not while it runs');
    expect(await configs(plugin)).toEqual(Array(3).fill({ first: 1 }));
    expect(pids(plugin)).toEqual(before);
    expect(failures).toEqual([]);
  });

  test.each([
    ['crashes', { crash: true }, 'BW_PLUGIN_CRASHED'],
    ['hangs', { hang: true }, 'BW_PLUGIN_TIMEOUT'],
  ])(
    'replaces a process that %s in reconfigure() by a process with the former configuration',
    async (_case, config, code) => {
      const { plugin, failures } = await open('timeouts: { initialize: 1s }');
      expect(await refusal(plugin, config)).toMatchObject({ code: 'BW_PLUGIN_RECONFIGURE' });
      expect(await ask(plugin)).toMatchObject({ config: { first: 1 } });
      expect(failures).toEqual([code]);
    },
  );

  test('fails without effect for a plugin that does not support it', async () => {
    const { plugin } = await open('', 'echo');
    expect(await refusal(plugin, {})).toMatchObject({ code: 'BW_PLUGIN_RECONFIGURE' });
    expect(pids(plugin)).toHaveLength(1);
  });

  test('also works for a plugin in the server’s own process', async () => {
    const { options } = optionsOf('reconfigurable', '', []);
    const plugin = await InProcessPlugin.open(options);
    opened.push(plugin);
    await plugin.reconfigure('{"second":2}');
    expect(await ask(plugin)).toMatchObject({ config: { second: 2 }, reconfigured: 1 });
    expect((await refusal(plugin, { refuse: true })).message).toContain('not while it runs');
    expect(await ask(plugin)).toMatchObject({ config: { second: 2 } });
  });
});

test('adjusted settings apply to running processes', async () => {
  const { plugin } = await open('recycle: { calls: 0 }');
  const [first] = pids(plugin);
  await ask(plugin);
  const { config } = parseConfig('plugins: { any: { path: /x, recycle: { calls: 1 } } }', { directory: '/' });
  plugin.adjust(adjustableSettings(config.plugins[0]!));
  await ask(plugin);
  await eventually(() => pids(plugin).length === 1 && !pids(plugin).includes(first!), 'another process');
});
