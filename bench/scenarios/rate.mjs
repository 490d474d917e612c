import { benchPlugin } from '../build.mjs';
import { backworksPeer, httpPeer, withServers } from '../http-peers.mjs';
import { loadGenerator } from '../load/wrk.mjs';
import { generator } from '../load/generator.mjs';
import { alternate } from '../measure.mjs';
import { nginxCommand } from '../peers/nginx/command.mjs';
import { threeHooks } from '../three-hooks.mjs';

const BARE = 'Hono, bare';
const RATE = 2000;
const CONNECTIONS = 256;
const RATE_TEXT = RATE.toLocaleString('en-US');

export const name = 'rate';
export const title = `Latency at ${RATE_TEXT} requests a second`;
export const takes = { full: 115, quick: 30 };
export const metrics = [
  { key: 'p50', label: 'p50', unit: 'µs', compare: { by: 'difference', to: BARE } },
  { key: 'p99', label: 'p99', unit: 'µs', compare: { by: 'difference', to: BARE } },
  { key: 'p999', label: 'p99.9', unit: 'µs' },
  { key: 'failed', label: 'failed', unit: 'requests a round' },
];
export const charts = [
  { key: 'p50', title: `Latency, p50, at ${RATE_TEXT} requests a second`, unit: 'µs', better: 'less' },
  {
    name: 'p99',
    key: 'p99',
    title: `Latency, p99, at ${RATE_TEXT} requests a second`,
    unit: 'µs',
    better: 'less',
    scale: 'log',
  },
];

export async function run({ rounds, quick, onTurn }) {
  const seconds = quick ? 1 : 2;
  const path = benchPlugin();
  const backworks = (plugin) => () => backworksPeer([{ name: 'bench', path, ...plugin }], 'bench');
  const commands = {
    [BARE]: () => httpPeer('hono'),
    'Hono + koffi by hand': () => httpPeer('hono-koffi', path),
    'Backworks, in-process': backworks({ isolation: 'in-process' }),
    'Backworks, isolated': backworks({}),
    'Backworks, three isolated plugins': threeHooks,
    'nginx + njs': () => nginxCommand(),
  };
  const open = async ({ url }) => {
    const { openLoop } = generator();
    await loadGenerator()(url, 64, 1);
    return () => measure(openLoop, url, seconds);
  };
  return withServers(commands, open, (peers) => alternate(peers, rounds, onTurn));
}

async function measure(openLoop, url, seconds) {
  const { p50, p99, p999, failed } = await openLoop(url, RATE, seconds, CONNECTIONS);
  return { p50, p99, p999, failed };
}
