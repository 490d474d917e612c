import type { PluginConfig } from '../config/types.js';
import { processorTimeMs } from '../native/process/limits/process-clock.js';
import { CALL_MS_MIN, type Child, type Children } from './children.js';
import { askOne } from './function-checks.js';
import { Finding, type Report } from './report.js';
import type { Target } from './target.js';

/** How long a process is watched while nobody calls it. */
const IDLE_MS = 200;
/** A process that computes nothing uses less than this in that time. */
const IDLE_CPU_MS = 1;
/** A process that does compute is watched longer: a garbage collector may finish its work. */
const WATCHED_MS = 2000;
const WATCH_INTERVAL_MS = 100;
/** The share of the processor that limits.idle_cpu allows is not asked of a machine that is busy itself. */
const BUSY_MS = 300;

/**
 * Checks what happens between the calls, and when processes start and end.
 * @param quick only the end
 */
export async function checkLifecycle(
  targets: readonly Target[],
  children: Children,
  { config, written, limits, timeouts }: PluginConfig,
  report: Report,
  quick: boolean,
): Promise<void> {
  const askEach = async (child: Child): Promise<void> => {
    for (const { ordinary } of targets) for (const input of ordinary.slice(0, 1)) await askOne(child, input);
  };
  if (!quick) await checkBetween(children, { config, limits, ...(written && { written }) }, report, askEach);
  await report.check('shutdown', async () => {
    const child = await children.open({}, Math.max(timeouts.shutdownMs, CALL_MS_MIN));
    let isCalled = false;
    try {
      await askEach(child);
      isCalled = true;
    } finally {
      const result = await child.close();
      if (isCalled) requireEnd(result);
    }
    return 'ended';
  });
}

/** Checks a plugin that is idle, one that is replaced, and one that gets a configuration. */
async function checkBetween(
  children: Children,
  { config, written, limits }: Pick<PluginConfig, 'config' | 'written' | 'limits'>,
  report: Report,
  askEach: (child: Child) => Promise<void>,
): Promise<void> {
  await report.check('idle', () =>
    children.within((child) => checkIdle(child, limits.idleCpuPercent, askEach)),
  );
  await report.check('restart', () =>
    children.within(async (child) => {
      await askEach(child);
      await child.plugin.restart();
      await askEach(child);
      return 'a second process starts while the first one runs, and takes over';
    }),
  );
  await report.check('reconfigure', () =>
    children.within(async (child) => {
      const { plugin } = child;
      if (!plugin.reconfigurable) return 'it has no reconfigure(): a new configuration gets a new process';
      await askEach(child);
      await plugin.reconfigureAgain({ config, ...(written && { written }) });
      await askEach(child);
      return 'it accepts its configuration again';
    }),
  );
}

async function checkIdle(
  child: Child,
  limitPercent: number,
  prepare: (child: Child) => Promise<void>,
): Promise<string> {
  if (limitPercent === 0) return 'limits.idle_cpu is off';
  await prepare(child);
  const before = idleTimeMs(child);
  const usedMs = (): number => idleTimeMs(child) - before;
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const limitMs = (BUSY_MS * limitPercent) / 100;
  const endAtMs = performance.now() + WATCHED_MS;
  while (usedMs() > IDLE_CPU_MS && performance.now() < endAtMs) {
    if (usedMs() > limitMs) {
      const detail = `it computes while nobody calls it, more than limits.idle_cpu (${limitPercent}%) allows`;
      const hint = 'wait for events with a blocking call, such as poll() or a condition variable';
      throw new Finding('failed', detail, hint);
    }
    await new Promise((resolve) => setTimeout(resolve, WATCH_INTERVAL_MS));
  }
  return 'it computes nothing while nobody calls it';
}

/** Processor time of the process that serves. @throws Finding when the system does not tell it */
function idleTimeMs({ plugin }: Child): number {
  const pid = plugin.processes().find(({ state }) => state === 'ready')?.pid;
  const time = pid === undefined ? null : processorTimeMs(pid);
  if (time !== null) return time;
  throw new Finding('unavailable', 'this system does not tell the processor time of a process');
}

function requireEnd(result: Awaited<ReturnType<Child['close']>>): void {
  if (result === null) return;
  const { status, text, failure } = result;
  if (failure !== null) throw failure;
  if (status === null) throw new Finding('failed', 'its process ended before shutdown() returned');
  if (status === 0) return;
  const why = text === '' ? '' : `: ${text}`;
  throw new Finding(
    'warning',
    `shutdown() returned ${status}${why}`,
    'return 0 when everything was released',
  );
}
