import { afterEach, expect, test } from '@jest/globals';
import { PluginExecutor } from '../../dist/execution/executor.js';
import { HookMetrics, PluginMetrics } from '../../dist/metrics/plugin-metrics.js';
import { FrameWriter } from '../../dist/native/protocol/frames.js';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually, type LogLine, startServer } from '../fixtures/server.js';

const ANSWER_MS = 10_000;

let undo: (() => void)[] = [];
afterEach(() => {
  for (const act of undo.splice(0)) act();
  undo = [];
});

/** Makes a method throw the next time it is called, and only then. */
function throwsOnce<T extends object>(prototype: T, method: keyof T & string): () => void {
  return () => {
    const original = Object.getOwnPropertyDescriptor(prototype, method)!;
    const restore = (): void => void Object.defineProperty(prototype, method, original);
    undo.push(restore);
    Object.defineProperty(prototype, method, {
      ...original,
      value: () => {
        restore();
        throw new Error(`${method} is broken`);
      },
    });
  };
}

/** The steps between the beginning of a call and its answer, and how the test makes each step throw. */
const STEPS: readonly {
  readonly step: string;
  readonly fixture: string;
  readonly arm?: () => void;
  readonly log?: RegExp;
}[] = [
  { step: 'a log line of the plugin', fixture: 'host_services', log: /said through the host/ },
  {
    step: 'a custom counter of the plugin',
    fixture: 'host_services',
    arm: throwsOnce(PluginMetrics.prototype, 'customCounter'),
  },
  {
    step: 'writing the frame of the call',
    fixture: 'host_services',
    arm: throwsOnce(FrameWriter.prototype, 'add'),
  },
  {
    step: 'counting the time spent in the plugin',
    fixture: 'host_services',
    arm: throwsOnce(HookMetrics.prototype, 'answered'),
  },
  {
    step: 'counting the success',
    fixture: 'host_services',
    arm: throwsOnce(HookMetrics.prototype, 'succeeded'),
  },
  {
    step: 'counting the failure',
    fixture: 'hostile/h45_empty',
    arm: throwsOnce(HookMetrics.prototype, 'failedWith'),
  },
  { step: 'logging a bad answer', fixture: 'hostile/h45_empty', log: /answered process_endpoint/ },
  { step: 'logging the end of the process', fixture: 'hostile/h17_exit', log: /exited during/ },
  {
    step: 'counting the end of the process',
    fixture: 'hostile/h17_exit',
    arm: throwsOnce(PluginMetrics.prototype, 'processFailed'),
  },
  {
    step: 'beginning the next hook of a batch',
    fixture: 'batched',
    arm: throwsOnce(PluginExecutor.prototype, 'adopt'),
  },
];

test.each(STEPS)('a request and the next requests are answered when $step throws', async (faulty) => {
  const { fixture, arm, log } = faulty;
  let armed = false;
  const onLog = ({ message }: LogLine): void => {
    if (!armed || log?.test(message) !== true) return;
    armed = false;
    throw new Error('the log is broken');
  };
  const server = await startServer(
    `
endpoints:
  bad: { path: /bad, plugin: faulty }
  ok: { path: /ok, plugin: faulty }
plugins:
  faulty: { path: ${compilePlugin(fixture)}, config: { log: /dev/null }, limits: { queue: 0 }, health: { interval: 0s } }
`,
    { onLog },
  );
  const get = (path: string): Promise<Response> =>
    fetch(server.url + path, { signal: AbortSignal.timeout(ANSWER_MS) });
  armed = true;
  arm?.();
  expect((await get('/bad')).status).toBeGreaterThanOrEqual(200);
  armed = false;
  // Only one call may be in flight, so a call that never ended would make the server refuse all others.
  let status = 0;
  await eventually(
    () => server.plugin('faulty').processes.some(({ state }) => state === 'ready'),
    'a process',
  );
  for (let tries = 0; tries < 3; tries += 1) status = (await get('/ok')).status;
  expect(status).toBe(200);
  await server.backworks.stop();
});
