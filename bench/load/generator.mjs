import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { compileC, Missing } from '../build.mjs';
import { interruption as signal } from '../interruption.mjs';

const execute = promisify(execFile);

/**
 * Our own load generator, a separate process, for measurements that wrk cannot make.
 * @returns two functions that resolve to `{ requests, p50, p99, p999, failed }`: answers per second, and latency
 *   in microseconds. `openLoop(url, rate, seconds, connections)` sends at a fixed rate and measures latency from
 *   the time at which a request was due. `closedLoop(url, seconds, connections)` opens every connection before
 *   the measurement begins.
 * @throws Missing
 */
export function generator() {
  if (process.platform !== 'linux') throw new Missing('needs Linux (timerfd and epoll)');
  const program = compileC('load/load.c', 'load');
  const openLoop = async (url, ...numbers) => {
    const { port, pathname } = new URL(url);
    const { stdout } = await execute(program, [port, pathname, ...numbers.map(String)], { signal });
    return JSON.parse(stdout);
  };
  return { openLoop, closedLoop: (url, seconds, connections) => openLoop(url, 0, seconds, connections) };
}
