import { setTimeout as pause } from 'node:timers/promises';
import { serveTasks } from '../../peer-tasks.mjs';
import { percentile } from '../../statistics.mjs';
import { WAYS } from './ways.mjs';

/**
 * What a plugin that dies or does not return does to its caller. Arguments: a way to call, the library.
 *   {"kills":100}     → {"p50","p99"}: from SIGKILL to the answer of a call made right after it, in ms
 *   {"computes":1000} → {"delay"}: how late the event loop was at worst while a call computed so long, in ms
 */
const [way, library] = process.argv.slice(2);
/** Until what has just started is as it stays. */
const SETTLE_MS = 15;
const TICK_MS = 1;
const plugin = await WAYS[way](library);

async function kill(kills) {
  const times = [];
  for (let count = 0; count < kills; count++) {
    await plugin.complete();
    await pause(SETTLE_MS);
    const began = performance.now();
    process.kill(plugin.pid(), 'SIGKILL');
    await answered();
    times.push(performance.now() - began);
  }
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}

/** A call that was lost with its process is made again, as a caller would. */
async function answered() {
  for (;;) {
    try {
      return await plugin.call(0);
    } catch (error) {
      if (error.code !== 'BW_PLUGIN_CRASH') throw error;
    }
  }
}

async function compute(milliseconds) {
  let delay = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    delay = Math.max(delay, now - last - TICK_MS);
    last = now;
  }, TICK_MS);
  await pause(SETTLE_MS);
  delay = 0;
  await plugin.call(milliseconds);
  // A loop that was held up sees it in its next turn.
  await pause(SETTLE_MS);
  clearInterval(timer);
  return { delay };
}

serveTasks({
  handle: ({ kills, computes }) => (kills === undefined ? compute(computes) : kill(kills)),
  end: () => plugin.close(),
});
