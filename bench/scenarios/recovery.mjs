import { compileC } from '../build.mjs';
import { alternate } from '../measure.mjs';
import { taskPeer, withPeers } from '../peers.mjs';

const IDLE = 'nothing computes';
const COMPUTES_MS = 1000;

export const name = 'recovery';
export const title = 'A plugin that is killed, and one that computes';
export const takes = { full: 80, quick: 18 };
export const metrics = [
  { key: 'p50', label: 'SIGKILL → next answer, p50', unit: 'ms' },
  { key: 'p99', label: 'SIGKILL → next answer, p99', unit: 'ms' },
  {
    key: 'delay',
    label: `longest event-loop delay in a call of ${COMPUTES_MS / 1000} s`,
    unit: 'ms',
    compare: { by: 'difference', to: IDLE },
  },
];
export const charts = [
  {
    key: 'delay',
    title: `Longest event-loop delay while a plugin computes for ${COMPUTES_MS / 1000} s`,
    unit: 'ms',
    better: 'less',
    scale: 'log',
  },
  {
    name: 'killed',
    key: 'p99',
    title: 'From SIGKILL to the answer of the next call, p99',
    unit: 'ms',
    better: 'less',
    scale: 'log',
  },
];

/** Name → kind of call in peers/recovery/ways.mjs, and the number of kills per round. */
const PEERS = {
  [IDLE]: { way: 'idle', kills: 0 },
  'Backworks, isolated': { way: 'isolated', kills: 120 },
  'Backworks, in-process': { way: 'in-process', kills: 0 },
  'Node fork + IPC + koffi, forked again': { way: 'fork', kills: 30 },
};

export function run({ rounds, quick, onTurn }) {
  const library = compileC('plugin/computing_plugin.c', 'computing.so', ['-shared', '-fPIC']);
  const commands = Object.fromEntries(
    Object.entries(PEERS).map(([peer, { way }]) => [
      peer,
      () => taskPeer('peers/recovery/main.mjs', way, library),
    ]),
  );
  const open = async (process, peer) => {
    const kills = PEERS[peer].kills / (quick ? 10 : 1);
    await process.ask({ computes: 10 });
    return [
      async () => (kills === 0 ? {} : process.ask({ kills })),
      () => process.ask({ computes: COMPUTES_MS }),
    ];
  };
  return withPeers(commands, open, (peers) => alternate(peers, rounds, onTurn));
}
