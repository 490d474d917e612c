import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { benchPlugin } from '../build.mjs';
import { backworksPeer, httpPeer, withServers } from '../http-peers.mjs';
import { loadGenerator } from '../load.mjs';
import { alternate } from '../measure.mjs';

const BARE = 'Hono, bare';
const RATE = 2000;
const CONNECTIONS = 256;
const execute = promisify(execFile);

export const name = 'rate';
export const title = `Latency at ${RATE.toLocaleString('en-US')} requests a second`;
export const metrics = [
  { key: 'p50', label: 'p50', unit: 'µs', compare: { by: 'difference', to: BARE } },
  { key: 'p99', label: 'p99', unit: 'µs' },
  { key: 'p999', label: 'p99.9', unit: 'µs' },
  { key: 'failed', label: 'failed', unit: 'requests a round' },
];
export const chart = {
  key: 'p99',
  title: `p99 at ${RATE.toLocaleString('en-US')} requests a second (µs, less is better)`,
};

export async function run({ rounds, quick, onProgress }) {
  const seconds = quick ? 2 : 5;
  const path = benchPlugin();
  const backworks = (plugin) => () => backworksPeer([{ name: 'bench', path, ...plugin }], 'bench');
  const commands = {
    [BARE]: () => httpPeer('hono'),
    'Hono + koffi by hand': () => httpPeer('hono-koffi', path),
    'Backworks, in-process': backworks({ isolation: 'in-process' }),
    'Backworks, isolated': backworks({}),
  };
  const open = async ({ url }) => {
    await loadGenerator()(url, 64, 1);
    return () => measure(url, seconds);
  };
  return withServers(commands, open, (peers) => alternate(peers, rounds, onProgress));
}

async function measure(url, seconds) {
  const args = ['bench/open-loop.mjs', url, RATE, seconds, CONNECTIONS].map(String);
  const { stdout } = await execute(process.execPath, args);
  return JSON.parse(stdout);
}
