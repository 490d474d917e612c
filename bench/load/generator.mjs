import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { compileC, Missing } from '../build.mjs';
import { interruption as signal } from '../interruption.mjs';

const execute = promisify(execFile);

/**
 * Our own program that makes requests from a process of its own, for what wrk cannot do.
 * @returns two functions, which resolve to `{ requests, p50, p99, p999, failed }`: answers a second, and latency in
 *   microseconds; `openLoop(url, rate, seconds, connections)` asks at a fixed rate and takes latency from the
 *   moment a request was due, `closedLoop(url, seconds, connections)` opens every connection before it begins
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
