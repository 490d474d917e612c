import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { benchPlugin } from '../build.mjs';
import { childrenOf } from '../children.mjs';
import { cpuTimeUs } from '../cpu-time.mjs';
import { backworksPeer } from '../http-peers.mjs';
import { alternate } from '../measure.mjs';
import { PeerProcess } from '../peer-process.mjs';

const COUNTS = [0, 1, 10, 100, 300];
/** When no process has started for this time, all have started. */
const SETTLED_MS = 500;
const nameOf = (count) => `Backworks, ${count} plugin${count === 1 ? '' : 's'}`;
const pointsOf = (key) => COUNTS.map((count) => ({ x: count, peer: nameOf(count), key }));

export const name = 'plugins';
export const title = 'Many plugins in one server';
export const takes = { full: 130, quick: 25 };
export const rounds = { full: 5, quick: 3 };
export const metrics = [
  { key: 'ready', label: 'start → listening', unit: 'ms', compare: { by: 'difference', to: nameOf(0) } },
  { key: 'server', label: 'server, resident', unit: 'MiB' },
  { key: 'runners', label: 'runners, private, all together', unit: 'MiB' },
  { key: 'processes', label: 'processes', unit: 'runners' },
  { key: 'idle', label: 'idle, server and runners', unit: '% of a core' },
];
const axis = { label: 'plugins in one server' };
export const charts = [
  {
    title: 'From the start of Node to listening, by number of plugins',
    unit: 'ms',
    better: 'less',
    x: axis,
    series: [{ name: 'Backworks, isolated', points: pointsOf('ready') }],
  },
  {
    name: 'memory',
    title: 'Memory, by number of plugins',
    unit: 'MiB',
    better: 'less',
    x: axis,
    series: [
      { name: 'runners, private, all together', points: pointsOf('runners') },
      { name: 'server, resident', points: pointsOf('server') },
    ],
  },
];
export const slopes = [
  { text: 'Each further plugin takes {} ms at the start.', points: pointsOf('ready') },
  { text: 'Its processes take {} MiB of their own.', points: pointsOf('runners') },
  { text: 'The server grows by {} MiB.', points: pointsOf('server') },
  { text: 'While nothing happens, it takes {} % of a core.', points: pointsOf('idle') },
];

/** Each plugin has a serving process and a spare. */
export function run({ rounds: wanted, quick, onTurn }) {
  const path = benchPlugin('before');
  const idleMs = quick ? 1000 : 2000;
  const counts = quick ? COUNTS.slice(0, -1) : COUNTS;
  const peers = counts.map((count) => ({
    name: nameOf(count),
    measure: () =>
      measure(
        Array.from({ length: count }, (_, index) => ({ name: `bench-${index}`, path })),
        idleMs,
      ),
  }));
  return alternate(peers, wanted, onTurn);
}

async function measure(plugins, idleMs) {
  const began = performance.now();
  const server = new PeerProcess(backworksPeer(plugins));
  try {
    const { pids } = await server.answer();
    const ready = performance.now() - began;
    return process.platform === 'linux' ? { ready, ...(await atRest(pids[0], idleMs)) } : { ready };
  } finally {
    await server.end();
  }
}

async function atRest(pid, idleMs) {
  const runners = await settledChildren(pid);
  const before = cpuTimeUs([pid, ...runners]);
  await pause(idleMs);
  const idle = ((cpuTimeUs([pid, ...runners]) - before) / (idleMs * 1000)) * 100;
  const memory = runners.map((runner) => memoryKib(runner, /^Private_(?:Clean|Dirty):/));
  return {
    server: memoryKib(pid, /^Rss:/) / 1024,
    runners: memory.reduce((sum, kib) => sum + kib, 0) / 1024,
    processes: runners.length,
    idle,
  };
}

/** Spares start after the server listens. */
async function settledChildren(pid) {
  for (let before = childrenOf(pid); ;) {
    await pause(SETTLED_MS);
    const now = childrenOf(pid);
    if (now.join() === before.join()) return now;
    before = now;
  }
}

function memoryKib(pid, kind) {
  const lines = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').split('\n');
  return lines
    .filter((line) => kind.test(line))
    .reduce((sum, line) => sum + Number(/(\d+) kB$/.exec(line)?.[1] ?? 0), 0);
}
