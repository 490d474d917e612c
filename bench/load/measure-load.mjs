import { cpuTimeUs } from '../cpu-time.mjs';

/**
 * Loads a server and measures the CPU time of its own processes.
 * @param server `{ url, pids }`
 * @returns the result of `load()` with `cpu`: microseconds of CPU time per request, or null if unknown
 */
export async function measureLoad(load, { url, pids }, connections, seconds, body) {
  const before = cpuTimeUs(pids);
  const measured = await load(url, connections, seconds, body);
  const known = before !== null && measured.answered > 0;
  return { ...measured, cpu: known ? (cpuTimeUs(pids) - before) / measured.answered : null };
}
