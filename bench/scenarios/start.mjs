import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { IsolatedPlugin } from '../../dist/native/isolated.js';
import { benchPlugin, compileC, emptyPlugin } from '../build.mjs';
import { alternate } from '../measure.mjs';
import { nativeOptions, unguarded } from '../native-options.mjs';
import { ENDPOINT, METHOD, REQUEST } from '../plugin/payload.mjs';
import { percentile } from '../statistics.mjs';

const FLOOR = 'C program that answers one byte';
const UNSANDBOXED = 'Backworks runner, bench plugin, sandbox: off';
const AT_ONCE = 100;
const LINUX = process.platform === 'linux';

export const name = 'start';
export const title = 'Starting a plugin, and what it occupies';
export const metrics = [
  {
    key: 'p50',
    label: 'spawn → first answer, p50',
    unit: 'ms',
    compare: { by: 'ratio', to: UNSANDBOXED },
  },
  { key: 'p95', label: 'spawn → first answer, p95', unit: 'ms' },
  { key: 'all', label: `${AT_ONCE} at once, all answered`, unit: 'ms' },
  { key: 'rss', label: 'resident', unit: 'KiB' },
  { key: 'pss', label: 'proportional', unit: 'KiB' },
  { key: 'private', label: 'private', unit: 'KiB' },
];
export const takes = { full: 70, quick: 16 };
export const charts = [{ key: 'p50', title: 'Spawn → first answer, p50', unit: 'ms', better: 'less' }];

export function run({ rounds, quick, onTurn }) {
  const starts = quick ? 10 : 30;
  const bench = benchPlugin();
  const program = compileC('peers/call/ping_pong.c', 'ping_pong');
  const peers = [
    { name: FLOOR, start: () => startProgram(program) },
    { name: 'Backworks runner, empty plugin', start: () => startPlugin(emptyPlugin(), false) },
    { name: 'Backworks runner, bench plugin', start: () => startPlugin(bench, true) },
    { name: UNSANDBOXED, start: () => startPlugin(bench, true, 'off') },
  ].map(({ name: peer, start }) => ({ name: peer, measure: () => measure(start, starts) }));
  return alternate(peers, rounds, onTurn);
}

/** @param start resolves to `{ pid, end }` when the process has answered */
async function measure(start, starts) {
  const times = [];
  let memory = {};
  for (let count = 0; count < starts; count++) {
    const began = performance.now();
    const started = await start();
    times.push(performance.now() - began);
    memory = memoryOf(started.pid);
    await started.end();
  }
  const began = performance.now();
  const all = await Promise.all(Array.from({ length: AT_ONCE }, start));
  const elapsed = performance.now() - began;
  await Promise.all(all.map(({ end }) => end()));
  return { p50: percentile(times, 0.5), p95: percentile(times, 0.95), all: elapsed, ...memory };
}

/** A plugin without hooks is started when initialize() has answered. */
async function startPlugin(library, hasHooks, sandbox) {
  const plugin = await IsolatedPlugin.open(nativeOptions('bench', library, sandbox));
  if (hasHooks) await plugin.call('process_endpoint', [ENDPOINT, METHOD, REQUEST], unguarded());
  const { pid } = plugin.processes().find(({ state }) => state === 'ready');
  return { pid, end: () => plugin.close() };
}

async function startProgram(program) {
  const child = spawn(program, ['--answer'], { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const channel = child.stdio[3];
  await new Promise((resolve, reject) => {
    channel.once('data', resolve);
    child.once('error', reject);
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  return {
    pid: child.pid,
    end: () => {
      channel.destroy();
      return exited;
    },
  };
}

/**
 * KiB, as the kernel counts them: resident counts pages shared with other processes in full,
 * proportional counts them by share, private not at all. Nothing where there is no /proc.
 */
function memoryOf(pid) {
  if (!LINUX) return {};
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (key) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)[1]);
  return { rss: field('Rss'), pss: field('Pss'), private: field('Private_Clean') + field('Private_Dirty') };
}
