import { benchPlugin } from '../build.mjs';
import { backworksPeer, httpPeer, withServers } from '../http-peers.mjs';
import { loadGenerator } from '../load.mjs';
import { alternate } from '../measure.mjs';

const BARE = 'Hono, bare';
const WIDTHS = [1, 10, 100, 1000, 10_000];

export const name = 'connections';
export const title = 'From one connection to ten thousand';
export const metrics = [
  ...WIDTHS.map((width) => ({
    key: `requests${width}`,
    label: width === 1 ? '1 connection' : `${width.toLocaleString('en-US')} connections`,
    unit: 'requests/s',
    ...(width === WIDTHS.at(-1) ? { compare: { by: 'ratio', to: BARE } } : {}),
  })),
  { key: 'failed', label: 'failed', unit: 'requests a round' },
];
export const chart = {
  key: `requests${WIDTHS.at(-1)}`,
  title: 'Requests per second, 10,000 connections (more is better)',
};

export async function run({ rounds, quick, onProgress }) {
  const seconds = quick ? 1 : 3;
  const commands = {
    [BARE]: () => httpPeer('hono'),
    // Nobody waits longer than a client would: 10,000 calls in line take a second or so.
    'Backworks, isolated': () =>
      backworksPeer(
        [{ name: 'bench', path: benchPlugin(), timeouts: { call: '10s' }, limits: { queue: 20_000 } }],
        'bench',
      ),
  };
  const open = async ({ url }) => {
    const load = loadGenerator();
    await load(url, 64, 1);
    return async () => {
      const measured = { failed: 0 };
      for (const width of WIDTHS) {
        const { requests, failed } = await load(url, width, seconds);
        measured[`requests${width}`] = requests;
        measured.failed += failed;
      }
      return measured;
    };
  };
  return withServers(commands, open, (peers) => alternate(peers, rounds, onProgress));
}
