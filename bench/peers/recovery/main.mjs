import { setTimeout as pause } from 'node:timers/promises';
import { serveTasks } from '../../peer-tasks.mjs';
import { percentile } from '../../statistics.mjs';
import { WAYS } from './ways.mjs';

/**
 * Measures how a plugin that is killed or computes affects its caller. Arguments: a kind of call, the library.
 *   {"kills":100}     → {"p50","p99"}: from SIGKILL to the answer of a call made right after it, in ms
 *   {"computes":1000} → {"delay"}: largest event-loop delay while a call computed for this many ms, in ms
 */
const [way, library] = process.argv.slice(2);
/** Time after which a started process has settled. */
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

/** Repeats a call that was lost with its process, as a caller would. */
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
  // A blocked event loop measures the delay in its next turn.
  await pause(SETTLE_MS);
  clearInterval(timer);
  return { delay };
}

serveTasks({
  handle: ({ kills, computes }) => (kills === undefined ? compute(computes) : kill(kills)),
  end: () => plugin.close(),
});
