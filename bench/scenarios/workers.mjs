import { benchPlugin } from '../build.mjs';
import { backworksPeer, httpPeer, withServers } from '../http-peers.mjs';
import { loadGenerator } from '../load/wrk.mjs';
import { measureLoad } from '../load/measure-load.mjs';
import { alternate } from '../measure.mjs';

const CONNECTIONS = 64;
const SECONDS = 1;
const WARM_UP_SECONDS = 2;
const ONE = 'Backworks, isolated, 1 worker';

export const name = 'workers';
export const title = 'One server process or two, three hooks each';
export const takes = { full: 50, quick: 23 };
export const metrics = [
  {
    key: 'requests',
    label: `${CONNECTIONS} connections`,
    unit: 'requests/s',
    compare: { by: 'ratio', to: ONE },
  },
  { key: 'p50', label: 'p50', unit: 'µs' },
  { key: 'p99', label: 'p99', unit: 'µs' },
  { key: 'cpu', label: 'server CPU per request', unit: 'µs', compare: { by: 'difference', to: ONE } },
  { key: 'failed', label: 'failed', unit: 'requests a round' },
];
export const charts = [
  {
    key: 'requests',
    title: `Requests per second with 1 and 2 workers, ${CONNECTIONS} connections`,
    unit: 'requests/s',
    better: 'more',
  },
];

/** Name → command line. */
function commands() {
  const plugins = [{ name: 'bench', path: benchPlugin() }];
  return {
    'Hono, bare, 1 process': () => httpPeer('hono'),
    'Hono, bare, 2 processes (node:cluster)': () => httpPeer('hono-workers', '2'),
    [ONE]: () => backworksPeer(plugins, 'bench'),
    'Backworks, isolated, 2 workers': () => httpPeer('workers', JSON.stringify(plugins), 'bench', '2'),
  };
}

export async function run({ rounds, onTurn }) {
  const open = async (server) => {
    const load = loadGenerator();
    await load(server.url, CONNECTIONS, WARM_UP_SECONDS);
    return async () => {
      const { requests, failed, p50, p99, cpu } = await measureLoad(load, server, CONNECTIONS, SECONDS);
      return { requests, failed, p50, p99, cpu };
    };
  };
  return withServers(commands(), open, (peers) => alternate(peers, rounds, onTurn));
}
