import { benchPlugin, changingPlugin } from '../build.mjs';
import { backworksPeer, httpPeer, withServers } from '../http-peers.mjs';
import { loadGenerator } from '../load/wrk.mjs';
import { measureLoad } from '../load/measure-load.mjs';
import { alternate } from '../measure.mjs';

const KIB = 1024;
const SIZES_KIB = [0.2, 4, 64, 1024];
/** Few connections, so that one second is enough for the largest bodies. */
const CONNECTIONS = 4;
const SECONDS = 1;
const KINDS = {
  'Backworks, isolated': () => backworksPeer([{ name: 'bench', path: benchPlugin() }], 'bench'),
  'Hono, reading JSON': () => httpPeer('hono'),
};
const nameOf = (kind, kib) => `${kind}, ${kib} KiB`;
const pointsOf = (kind, key) => SIZES_KIB.map((kib) => ({ x: kib, peer: nameOf(kind, kib), key }));

export const name = 'body';
export const title = 'Request bodies, three hooks each';
export const takes = { full: 112, quick: 48 };
export const metrics = [
  { key: 'requests', label: `${CONNECTIONS} connections`, unit: 'requests/s' },
  { key: 'megabytes', label: 'of bodies', unit: 'MB/s' },
  { key: 'cpu', label: 'server CPU per request', unit: 'µs' },
  { key: 'p50', label: 'p50', unit: 'µs' },
  { key: 'failed', label: 'failed', unit: 'requests a round' },
];
export const charts = [
  {
    title: 'Server CPU per request, by size of its body',
    unit: 'µs',
    better: 'less',
    scale: 'log',
    x: { label: 'KiB of JSON in the body', scale: 'log' },
    series: Object.keys(KINDS).map((kind) => ({ name: kind, points: pointsOf(kind, 'cpu') })),
  },
];
export const slopes = [
  {
    text: 'Each further KiB costs the server {} µs of CPU, with both hooks that see it.',
    points: pointsOf('Backworks, isolated', 'cpu'),
  },
  {
    text: 'A bare Hono that parses the body takes {} µs for it.',
    points: pointsOf('Hono, reading JSON', 'cpu'),
  },
];

/** A body that before_request leaves unchanged, and one that it changes. */
const ONE_HOOK = {
  'Backworks, before_request changes nothing': {},
  'Backworks, before_request changes one member': { before: 'body' },
};
const ONE_HOOK_KIB = 64;

export async function run({ rounds, onTurn }) {
  const sizes = new Map();
  const commands = {};
  // Each size has its own server, so that the bodies of one size do not fill the heap of another.
  for (const kib of SIZES_KIB) {
    for (const [kind, command] of Object.entries(KINDS)) {
      commands[nameOf(kind, kib)] = command;
      sizes.set(nameOf(kind, kib), Math.round(kib * KIB));
    }
  }
  for (const [kind, config] of Object.entries(ONE_HOOK)) {
    const path = changingPlugin(['before']);
    commands[nameOf(kind, ONE_HOOK_KIB)] = () => backworksPeer([{ name: 'changing', path, config }]);
    sizes.set(nameOf(kind, ONE_HOOK_KIB), ONE_HOOK_KIB * KIB);
  }
  const open = async (server, peer) => {
    const load = loadGenerator();
    const body = bodyOf(sizes.get(peer));
    await load(server.url, CONNECTIONS, SECONDS, body);
    return async () => {
      const { requests, failed, p50, cpu } = await measureLoad(load, server, CONNECTIONS, SECONDS, body);
      return { requests, megabytes: (requests * body.length) / 1e6, failed, p50, cpu };
    };
  };
  return withServers(commands, open, (peers) => alternate(peers, rounds, onTurn));
}

/** JSON as services send it: a list of small objects. */
function bodyOf(bytes) {
  const item = '{"id":1,"name":"item","tags":["a","b"]}';
  const count = Math.max(1, Math.floor(bytes / (item.length + 1)) - 2);
  const items = Array.from({ length: count }, () => item).join(',');
  const open = `{"items":[${items}],"padding":"`;
  return `${open}${'x'.repeat(Math.max(0, bytes - open.length - 2))}"}`;
}
