import { readFileSync } from 'node:fs';
import { serveTasks } from '../../peer-tasks.mjs';
import { percentile } from '../../statistics.mjs';
import { startPlugin } from './plugin.mjs';
import { startProgram } from './program.mjs';

/**
 * Measures how long something takes to start, and its memory. Arguments: "program" and its path, or "plugin",
 * the library and `sandbox:`. `{"starts":30,"atOnce":100}` → `{"p50","p95","all","rss","pss","private"}`, ms and KiB.
 */
const [kind, path, sandbox] = process.argv.slice(2);
/** Resolves to `{ pid, end }` when the process has answered. */
const start = kind === 'program' ? () => startProgram(path) : () => startPlugin(path, sandbox);

async function measure({ starts, atOnce }) {
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
  const all = await Promise.all(Array.from({ length: atOnce }, start));
  const elapsed = performance.now() - began;
  await Promise.all(all.map(({ end }) => end()));
  return { p50: percentile(times, 0.5), p95: percentile(times, 0.95), all: elapsed, ...memory };
}

/**
 * Memory in KiB, as the kernel counts it: resident counts pages shared with other processes in full,
 * proportional counts them by share, private leaves them out. Empty on systems without /proc.
 */
function memoryOf(pid) {
  if (process.platform !== 'linux') return {};
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (key) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)[1]);
  return { rss: field('Rss'), pss: field('Pss'), private: field('Private_Clean') + field('Private_Dirty') };
}

serveTasks({ handle: measure });
