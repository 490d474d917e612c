import { benchPlugin } from '../build.mjs';
import { backworksPeer, withServers } from '../http-peers.mjs';
import { loadGenerator } from '../load/wrk.mjs';
import { measureLoad } from '../load/measure-load.mjs';
import { alternate } from '../measure.mjs';

const LENGTHS = [0, 1, 5, 20, 50];
const CONNECTIONS = 64;
const SECONDS = 1;
const nameOf = (length) => `Backworks, ${length} isolated plugin${length === 1 ? '' : 's'}`;
const pointsOf = (key, lengths = LENGTHS) =>
  lengths.map((length) => ({ x: length, peer: nameOf(length), key }));

export const name = 'chain';
export const title = 'A chain of plugins, one hook each';
export const takes = { full: 65, quick: 22 };
export const metrics = [
  { key: 'requests', label: `${CONNECTIONS} connections`, unit: 'requests/s' },
  {
    key: 'cpu',
    label: 'server CPU per request',
    unit: 'µs',
    compare: { by: 'difference', to: nameOf(0) },
  },
  { key: 'p50', label: 'p50', unit: 'µs' },
  { key: 'failed', label: 'failed', unit: 'requests a round' },
];
export const charts = [
  {
    title: 'Server CPU per request, by length of the chain',
    unit: 'µs',
    better: 'less',
    x: { label: 'isolated plugins in the chain, one hook each' },
    series: [{ name: 'Backworks, isolated', points: pointsOf('cpu') }],
  },
];
export const slopes = [
  {
    text: 'Each further plugin costs the server {} µs of CPU per request.',
    points: pointsOf('cpu', LENGTHS.slice(1)),
  },
];

/** Each plugin has a before_request hook that reads the request. The configuration contains the answer. */
function commands() {
  const path = benchPlugin('before');
  const chain = (length) => Array.from({ length }, (_, index) => ({ name: `bench-${index}`, path }));
  return Object.fromEntries(LENGTHS.map((length) => [nameOf(length), () => backworksPeer(chain(length))]));
}

export async function run({ rounds, onTurn }) {
  const open = async (server) => {
    const load = loadGenerator();
    await load(server.url, CONNECTIONS, SECONDS);
    return async () => {
      const { requests, failed, p50, cpu } = await measureLoad(load, server, CONNECTIONS, SECONDS);
      return { requests, failed, p50, cpu };
    };
  };
  return withServers(commands(), open, (peers) => alternate(peers, rounds, onTurn));
}
