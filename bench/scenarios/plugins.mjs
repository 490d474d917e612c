import { readdirSync, readFileSync } from 'node:fs';
import { benchPlugin } from '../build.mjs';
import { cpuTimeUs } from '../cpu-time.mjs';
import { backworksPeer } from '../http-peers.mjs';
import { alternate } from '../measure.mjs';
import { PeerProcess } from '../peer-process.mjs';

const COUNTS = [0, 1, 10, 100, 300];
const nameOf = (count) => `Backworks, ${count} plugin${count === 1 ? '' : 's'}`;

export const name = 'plugins';
export const title = 'Many plugins in one server';
export const metrics = [
  { key: 'ready', label: 'start → listening', unit: 'ms', compare: { by: 'difference', to: nameOf(0) } },
  { key: 'server', label: 'server, resident', unit: 'MiB' },
  { key: 'runners', label: 'runners, private, all together', unit: 'MiB' },
  { key: 'processes', label: 'processes', unit: 'runners' },
  { key: 'idle', label: 'idle, server and runners', unit: '% of a core' },
];
export const chart = { key: 'ready', title: 'From the start to listening (ms, less is better)' };
export const slope = {
  key: 'ready',
  text: (value) => `Each further plugin takes ${value} ms at the start.`,
  at: Object.fromEntries(COUNTS.map((count) => [nameOf(count), count])),
};

/** Each has a process that serves and one that stands by. */
export function run({ rounds, quick, onProgress }) {
  const path = benchPlugin('before');
  const idleMs = quick ? 1000 : 3000;
  const peers = COUNTS.map((count) => ({
    name: nameOf(count),
    measure: () =>
      measure(
        Array.from({ length: count }, (_, index) => ({ name: `bench-${index}`, path })),
        idleMs,
      ),
  }));
  return alternate(peers, rounds, onProgress);
}

async function measure(plugins, idleMs) {
  const began = performance.now();
  const server = new PeerProcess(backworksPeer(plugins));
  const { pid } = await server.answer();
  const ready = performance.now() - began;
  if (process.platform !== 'linux') {
    await server.end();
    return { ready };
  }
  // Spares start after the server listens.
  await pause(1000);
  const runners = childrenOf(pid);
  const cpu = () => [pid, ...runners].reduce((sum, process) => sum + cpuTimeUs(process), 0);
  const before = cpu();
  await pause(idleMs);
  const idle = ((cpu() - before) / (idleMs * 1000)) * 100;
  const memory = runners.map((runner) => memoryKib(runner, /^Private_(?:Clean|Dirty):/));
  const figures = {
    ready,
    server: memoryKib(pid, /^Rss:/) / 1024,
    runners: memory.reduce((sum, kib) => sum + kib, 0) / 1024,
    processes: runners.length,
    idle,
  };
  await server.end();
  return figures;
}

function childrenOf(pid) {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}

function memoryKib(pid, kind) {
  const lines = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').split('\n');
  return lines
    .filter((line) => kind.test(line))
    .reduce((sum, line) => sum + Number(/(\d+) kB$/.exec(line)?.[1] ?? 0), 0);
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
