import { benchPlugin } from '../build.mjs';
import { backworksPeer, httpPeer, withServers } from '../http-peers.mjs';
import { loadGenerator } from '../load/wrk.mjs';
import { measureLoad } from '../load/measure-load.mjs';
import { alternate } from '../measure.mjs';
import { nginxCommand } from '../peers/nginx/command.mjs';
import { threeHooks } from '../three-hooks.mjs';

const BARE = 'Hono, bare';
const MAIN = 64;
const OTHERS = [1, 16, 256];
const SECONDS = 1;
const WARM_UP_SECONDS = 2;

export const name = 'http';
export const title = 'Requests per second, three hooks each';
export const takes = { full: 350, quick: 50 };
const requestsAt = (connections) => ({
  key: `requests${connections}`,
  label: connections === 1 ? '1 connection' : `${connections} connections`,
});
export const metrics = [
  { ...requestsAt(MAIN), unit: 'requests/s', compare: { by: 'ratio', to: BARE } },
  { key: 'p50', label: `p50 at ${MAIN}`, unit: 'µs' },
  { key: 'p99', label: `p99 at ${MAIN}`, unit: 'µs' },
  { key: 'cpu', label: 'server CPU per request', unit: 'µs', compare: { by: 'difference', to: BARE } },
  ...OTHERS.map((connections) => ({ ...requestsAt(connections), unit: 'requests/s' })),
  { key: 'failed', label: 'failed', unit: 'requests a round' },
];
export const charts = [
  {
    key: `requests${MAIN}`,
    title: `Requests per second, three hooks each, ${MAIN} connections`,
    unit: 'requests/s',
    better: 'more',
  },
  { name: 'cpu', key: 'cpu', title: 'Server CPU per request, three hooks each', unit: 'µs', better: 'less' },
];

/** Name → command line. */
function commands() {
  const backworks = (plugin) => backworksPeer([{ name: 'bench', ...plugin }], 'bench');
  const all = benchPlugin();
  return {
    'node:http, no plugin': () => httpPeer('node-http'),
    [BARE]: () => httpPeer('hono'),
    'Hono + koffi by hand': () => httpPeer('hono-koffi', all),
    'Backworks, in-process': () => backworks({ path: all, isolation: 'in-process' }),
    'Backworks, isolated': () => backworks({ path: all }),
    'Backworks, isolated, 2 instances': () => backworks({ path: all, instances: 2 }),
    'Backworks, isolated, thread pool of 2': () =>
      backworks({ path: benchPlugin('threads'), limits: { concurrency: 2, queue: 1024 } }),
    'Backworks, isolated, every hook changes something': () =>
      backworks({ path: all, config: { patch: true } }),
    'Backworks, three isolated plugins': threeHooks,
    'nginx + njs': () => nginxCommand(),
  };
}

export async function run({ rounds, quick, onTurn }) {
  const widths = quick ? [MAIN] : [MAIN, ...OTHERS];
  const open = async (server) => {
    const load = loadGenerator();
    await load(server.url, MAIN, quick ? 1 : WARM_UP_SECONDS);
    const failures = { failed: 0 };
    return widths.map((width) => () => measure(load, server, width, failures));
  };
  return withServers(commands(), open, (peers) => alternate(peers, rounds, onTurn));
}

/** @param failures total over the widths of a round. The first width is MAIN. */
async function measure(load, server, width, failures) {
  const { requests, failed, p50, p99, cpu } = await measureLoad(load, server, width, SECONDS);
  failures.failed = width === MAIN ? failed : failures.failed + failed;
  const measured = { [`requests${width}`]: requests, failed: failures.failed };
  return width === MAIN ? { ...measured, p50, p99, cpu } : measured;
}
