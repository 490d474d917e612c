import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { SupervisedPlugin, until } from '../native/pool/supervised-plugin.js';
import { residentBytes } from './processes.js';
import { expectThat, figure, mebibytes, quantile, title } from './report.js';

const GIBIBYTE = 1024 ** 3;
const PIECE = 16 * 1024 * 1024;
const MEDIAN_MAX_MS = 5;

/** Measures how long a restart of a plugin blocks the event loop of a server that uses much memory. */
export async function stall(restarts: number): Promise<void> {
  title(`Event loop while a plugin restarts, ${mebibytes(GIBIBYTE)} of buffers in use`);
  const buffers = Array.from({ length: GIBIBYTE / PIECE }, () => Buffer.alloc(PIECE, 1));
  const plugin = await SupervisedPlugin.open();
  const spare = (): boolean => plugin.processes().some(({ state }) => state === 'spare');
  const idle: number[] = [];
  const restarting: number[] = [];
  const forking: number[] = [];
  for (let restart = 0; restart < restarts; restart += 1) {
    await until(spare, 'the spare');
    idle.push(await longestTurn(() => new Promise((resolve) => setTimeout(resolve, 10))));
    restarting.push(
      await longestTurn(async () => {
        await plugin.call('/crash');
        await until(() => spare() && plugin.worker() !== undefined, 'worker and spare');
      }),
    );
    forking.push(await longestTurn(() => once(spawn('/bin/true', { stdio: 'ignore' }), 'exit')));
  }
  await plugin.close();
  figure('resident memory', mebibytes(residentBytes('self')));
  figure('longest turn, idle', quantiles(idle));
  figure('longest turn, a crash and two new processes', quantiles(restarting));
  figure('longest turn, for comparison child_process.spawn()', quantiles(forking));
  // A busy machine delays every turn, so only the time that a restart adds is checked.
  const median = quantile(restarting, 0.5) - quantile(idle, 0.5);
  expectThat(
    `a restart blocks the loop for less than ${MEDIAN_MAX_MS} ms`,
    median < MEDIAN_MAX_MS,
    `${median.toFixed(2)} ms`,
  );
  // This use keeps the buffers from being collected earlier.
  figure('buffers', mebibytes(buffers.length * PIECE));
}

/** The longest time between two turns of the event loop while the work is done, in milliseconds. */
async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  let running = true;
  const turn = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  running = false;
  return longest;
}

function quantiles(values: readonly number[]): string {
  const text = (share: number): string => quantile(values, share).toFixed(2);
  return `p50 ${text(0.5)} ms, p90 ${text(0.9)} ms, max ${text(1)} ms`;
}
