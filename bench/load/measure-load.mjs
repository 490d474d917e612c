import { cpuTimeUs } from '../cpu-time.mjs';

/**
 * Loads a server and takes the time of its own processes meanwhile.
 * @param server `{ url, pids }`
 * @returns what `load()` gives, with `cpu`: microseconds of processor time for a request, null where unknown
 */
export async function measureLoad(load, { url, pids }, connections, seconds, body) {
  const before = cpuTimeUs(pids);
  const measured = await load(url, connections, seconds, body);
  const known = before !== null && measured.answered > 0;
  return { ...measured, cpu: known ? (cpuTimeUs(pids) - before) / measured.answered : null };
}
