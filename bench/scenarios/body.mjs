import { benchPlugin } from '../build.mjs';
import { cpuTimeUs } from '../cpu-time.mjs';
import { backworksPeer, withServers } from '../http-peers.mjs';
import { loadGenerator } from '../load.mjs';
import { alternate } from '../measure.mjs';

const KIB = 1024;
const SIZES_KIB = [0.2, 4, 64, 1024];
const CONNECTIONS = 16;
const nameOf = (kib) => `Backworks, isolated, ${kib} KiB`;

export const name = 'body';
export const title = 'Request bodies, three hooks each';
export const metrics = [
  { key: 'requests', label: `${CONNECTIONS} connections`, unit: 'requests/s' },
  { key: 'megabytes', label: 'of bodies', unit: 'MB/s' },
  { key: 'cpu', label: 'server CPU per request', unit: 'µs' },
  { key: 'p50', label: 'p50', unit: 'µs' },
  { key: 'failed', label: 'failed', unit: 'requests a round' },
];
export const chart = {
  key: 'cpu',
  title: 'Server CPU per request by size of its body (µs, less is better)',
  scale: 'log',
};
export const slope = {
  key: 'cpu',
  text: (value) => `Each further KiB costs the server ${value} µs of CPU, for both hooks that see it.`,
  at: Object.fromEntries(SIZES_KIB.map((kib) => [nameOf(kib), kib])),
};

export async function run({ rounds, quick, onProgress }) {
  const seconds = quick ? 1 : 2;
  const command = () => backworksPeer([{ name: 'bench', path: benchPlugin() }], 'bench');
  const commands = Object.fromEntries(SIZES_KIB.map((kib) => [nameOf(kib), command]));
  // One server would do for all, but each has the heap that its own bodies make.
  const sizes = [...SIZES_KIB];
  const open = async ({ url, pid }) => {
    const load = loadGenerator();
    const body = bodyOf(Math.round((sizes.shift() ?? 0) * KIB));
    await load(url, CONNECTIONS, 1, body);
    return async () => {
      const before = cpuTimeUs(pid);
      const { requests, failed, p50 } = await load(url, CONNECTIONS, seconds, body);
      const cpu = before === null ? {} : { cpu: (cpuTimeUs(pid) - before) / (requests * seconds) };
      return { requests, megabytes: (requests * body.length) / 1e6, failed, p50, ...cpu };
    };
  };
  return withServers(commands, open, (peers) => alternate(peers, rounds, onProgress));
}

/** JSON as services send it: a list of small objects. */
function bodyOf(bytes) {
  const item = '{"id":1,"name":"item","tags":["a","b"]}';
  const count = Math.max(1, Math.floor(bytes / (item.length + 1)) - 2);
  const items = Array.from({ length: count }, () => item).join(',');
  const open = `{"items":[${items}],"padding":"`;
  return `${open}${'x'.repeat(Math.max(0, bytes - open.length - 2))}"}`;
}
