import { benchPlugin } from '../build.mjs';
import { cpuTimeUs } from '../cpu-time.mjs';
import { backworksPeer, httpPeer, withServers } from '../http-peers.mjs';
import { loadGenerator } from '../load.mjs';
import { alternate } from '../measure.mjs';
import { nginxCommand } from '../peers/nginx/command.mjs';

const BARE = 'Hono, bare';
const MAIN = 64;
const WARM_UP_SECONDS = 1;

export const name = 'http';
export const title = 'Requests per second, three hooks each';
const requestsAt = (connections) => ({
  key: `requests${connections}`,
  label: connections === 1 ? '1 connection' : `${connections} connections`,
});
export const metrics = [
  { ...requestsAt(MAIN), unit: 'requests/s', compare: { by: 'ratio', to: BARE } },
  { key: 'p50', label: `p50 at ${MAIN}`, unit: 'µs' },
  { key: 'p99', label: `p99 at ${MAIN}`, unit: 'µs' },
  { key: 'cpu', label: 'server CPU per request', unit: 'µs', compare: { by: 'difference', to: BARE } },
  ...[1, 16, 256].map((connections) => ({ ...requestsAt(connections), unit: 'requests/s' })),
  { key: 'failed', label: 'failed', unit: 'requests a round' },
];
export const chart = {
  key: `requests${MAIN}`,
  title: `Requests per second, ${MAIN} connections (more is better)`,
};

/** Name → command line. */
function commands() {
  const backworks = (plugin) => backworksPeer([{ name: 'bench', ...plugin }], 'bench');
  const all = benchPlugin();
  const three = ['before', 'endpoint', 'after'].map((hook) => ({
    name: `bench-${hook}`,
    path: benchPlugin(hook),
  }));
  return {
    'node:http, no plugin': () => httpPeer('node-http'),
    [BARE]: () => httpPeer('hono'),
    'Hono + koffi by hand': () => httpPeer('hono-koffi', all),
    'Backworks, in-process': () => backworks({ path: all, isolation: 'in-process' }),
    'Backworks, isolated': () => backworks({ path: all }),
    'Backworks, isolated, 2 instances': () => backworks({ path: all, instances: 2 }),
    'Backworks, isolated, every hook changes something': () =>
      backworks({ path: all, config: { patch: true } }),
    'Backworks, three isolated plugins': () => backworksPeer(three, 'bench-endpoint'),
    'nginx + njs': () => nginxCommand(),
  };
}

export async function run({ rounds, quick, onProgress }) {
  const seconds = quick ? 1 : 2;
  const widths = quick ? [MAIN] : [1, 16, MAIN, 256];
  const open = async ({ url, pid }) => {
    const load = loadGenerator();
    await load(url, MAIN, WARM_UP_SECONDS);
    return () => measure({ load, url, pid, seconds, widths });
  };
  return withServers(commands(), open, (peers) => alternate(peers, rounds, onProgress));
}

async function measure({ load, url, pid, seconds, widths }) {
  const measured = { failed: 0 };
  for (const width of widths) {
    const before = cpuTimeUs(pid);
    const { requests, failed, p50, p99 } = await load(url, width, seconds);
    measured[`requests${width}`] = requests;
    measured.failed += failed;
    if (width !== MAIN) continue;
    Object.assign(measured, { p50, p99 });
    if (before !== null) measured.cpu = (cpuTimeUs(pid) - before) / (requests * seconds);
  }
  return measured;
}
