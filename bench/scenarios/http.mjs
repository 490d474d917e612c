import { benchPlugin, Missing } from '../build.mjs';
import { cpuTimeUs } from '../cpu-time.mjs';
import { loadGenerator } from '../load.mjs';
import { alternate } from '../measure.mjs';
import { PeerProcess } from '../peer-process.mjs';
import { nginxCommand } from '../peers/nginx/command.mjs';
import { ANSWER, PATH } from '../plugin/payload.mjs';

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

/** Name → command line of a server that says `{"url"}` when it listens. */
function commands() {
  const node = (script, ...args) => [process.execPath, '--', `bench/peers/http/${script}.mjs`, ...args];
  const backworks = (plugin) => node('backworks', JSON.stringify([{ name: 'bench', ...plugin }]), 'bench');
  const all = benchPlugin();
  const three = ['before', 'endpoint', 'after'].map((hook) => ({
    name: `bench-${hook}`,
    path: benchPlugin(hook),
  }));
  return {
    'node:http, no plugin': () => node('node-http'),
    [BARE]: () => node('hono'),
    'Hono + koffi by hand': () => node('hono-koffi', all),
    'Backworks, in-process': () => backworks({ path: all, isolation: 'in-process' }),
    'Backworks, isolated': () => backworks({ path: all }),
    'Backworks, isolated, 2 instances': () => backworks({ path: all, instances: 2 }),
    'Backworks, isolated, every hook changes something': () =>
      backworks({ path: all, config: { patch: true } }),
    'Backworks, three isolated plugins': () => node('backworks', JSON.stringify(three), 'bench-endpoint'),
    'nginx + njs': () => nginxCommand(),
  };
}

export async function run({ rounds, quick, onProgress }) {
  const settings = { seconds: quick ? 1 : 2, widths: quick ? [MAIN] : [1, 16, MAIN, 256] };
  const servers = [];
  const peers = [];
  try {
    for (const [peer, command] of Object.entries(commands())) {
      peers.push({ name: peer, ...(await prepare(command, settings, servers)) });
    }
    return await alternate(peers, rounds, onProgress);
  } finally {
    await Promise.all(servers.map((server) => server.end()));
  }
}

/** Starts a server and warms it up; `{ missing }` when it, or the load generator, is not there. */
async function prepare(command, settings, servers) {
  try {
    const load = loadGenerator();
    const server = new PeerProcess(command());
    servers.push(server);
    const { url, pid } = await server.answer();
    await expectAnswer(url + PATH);
    await load(url + PATH, MAIN, WARM_UP_SECONDS);
    return { measure: () => measure({ load, url: url + PATH, pid, ...settings }) };
  } catch (error) {
    if (error instanceof Missing) return { missing: error.message };
    throw error;
  }
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

/** A server that answers something else would be fast for the wrong reason. */
async function expectAnswer(url) {
  const response = await fetch(url);
  const body = await response.text();
  if (response.status !== 200 || body !== ANSWER) throw new Error(`${url}: ${response.status} ${body}`);
}
