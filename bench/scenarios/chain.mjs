import { benchPlugin } from '../build.mjs';
import { cpuTimeUs } from '../cpu-time.mjs';
import { backworksPeer, withServers } from '../http-peers.mjs';
import { loadGenerator } from '../load.mjs';
import { alternate } from '../measure.mjs';

const LENGTHS = [0, 1, 5, 20, 50];
const CONNECTIONS = 64;
const WARM_UP_SECONDS = 1;
const nameOf = (length) => `Backworks, ${length} isolated plugin${length === 1 ? '' : 's'}`;

export const name = 'chain';
export const title = 'A chain of plugins, one hook each';
export const metrics = [
  { key: 'requests', label: `${CONNECTIONS} connections`, unit: 'requests/s' },
  { key: 'cpu', label: 'server CPU per request', unit: 'µs' },
  { key: 'p50', label: 'p50', unit: 'µs' },
  { key: 'failed', label: 'failed', unit: 'requests a round' },
];
export const chart = {
  key: 'cpu',
  title: 'Server CPU per request by length of the chain (µs, less is better)',
};
export const slope = {
  key: 'cpu',
  text: (value) => `Each further plugin costs the server ${value} µs of CPU per request.`,
  at: Object.fromEntries(LENGTHS.map((length) => [nameOf(length), length])),
};

/** Each plugin has a before_request hook that looks at the request; the configuration itself answers. */
function commands() {
  const path = benchPlugin('before');
  const chain = (length) => Array.from({ length }, (_, index) => ({ name: `bench-${index}`, path }));
  return Object.fromEntries(LENGTHS.map((length) => [nameOf(length), () => backworksPeer(chain(length))]));
}

export async function run({ rounds, quick, onProgress }) {
  const seconds = quick ? 1 : 2;
  const open = async ({ url, pid }) => {
    const load = loadGenerator();
    await load(url, CONNECTIONS, WARM_UP_SECONDS);
    return async () => {
      const before = cpuTimeUs(pid);
      const { requests, failed, p50 } = await load(url, CONNECTIONS, seconds);
      const cpu = before === null ? {} : { cpu: (cpuTimeUs(pid) - before) / (requests * seconds) };
      return { requests, failed, p50, ...cpu };
    };
  };
  return withServers(commands(), open, (peers) => alternate(peers, rounds, onProgress));
}
