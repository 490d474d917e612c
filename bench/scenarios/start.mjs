import { benchPlugin, compileC, emptyPlugin } from '../build.mjs';
import { alternate } from '../measure.mjs';
import { taskPeer, withPeers } from '../peers.mjs';

const FLOOR = 'C program that answers one byte';
const UNSANDBOXED = 'Backworks runner, bench plugin, sandbox: off';
const AT_ONCE = 100;

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
export const takes = { full: 65, quick: 14 };
export const charts = [{ key: 'p50', title: 'Spawn → first answer, p50', unit: 'ms', better: 'less' }];

/** Name → command line. */
function commands() {
  const plugin = (...args) => taskPeer('peers/start/main.mjs', 'plugin', ...args);
  return {
    [FLOOR]: () =>
      taskPeer('peers/start/main.mjs', 'program', compileC('peers/call/ping_pong.c', 'ping_pong')),
    'Backworks runner, empty plugin': () => plugin(emptyPlugin()),
    'Backworks runner, bench plugin': () => plugin(benchPlugin()),
    [UNSANDBOXED]: () => plugin(benchPlugin(), 'off'),
  };
}

export function run({ rounds, quick, onTurn }) {
  const task = { starts: quick ? 10 : 30, atOnce: AT_ONCE };
  const open = async (process) => {
    await process.ask({ starts: 3, atOnce: 1 });
    return () => process.ask(task);
  };
  return withPeers(commands(), open, (peers) => alternate(peers, rounds, onTurn));
}
