import { compileC } from '../build.mjs';
import { alternate } from '../measure.mjs';
import { PeerProcess } from '../peer-process.mjs';

const IDLE = 'nothing computes';
const COMPUTES_MS = 1000;

export const name = 'recovery';
export const title = 'A plugin that is killed, and one that computes';
export const takes = { full: 90, quick: 30 };
export const rounds = { full: 7, quick: 3 };
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

/** Name → way of peers/recovery/ways.mjs, and how many kills a round has. */
const PEERS = {
  [IDLE]: { way: 'idle', kills: 0 },
  'Backworks, isolated': { way: 'isolated', kills: 120 },
  'Backworks, in-process': { way: 'in-process', kills: 0 },
  'Node fork + IPC + koffi, forked again': { way: 'fork', kills: 30 },
};

export async function run({ rounds: wanted, quick, onTurn }) {
  const library = compileC('plugin/computing_plugin.c', 'computing.so', ['-shared', '-fPIC']);
  const processes = [];
  try {
    const peers = [];
    for (const [peer, { way, kills }] of Object.entries(PEERS)) {
      const process = PeerProcess.node('peers/recovery/main.mjs', way, library);
      processes.push(process);
      await process.answer();
      const killing = async () => (kills === 0 ? {} : process.ask({ kills: quick ? kills / 10 : kills }));
      await process.ask({ computes: 10 });
      peers.push({ name: peer, measure: [killing, () => process.ask({ computes: COMPUTES_MS })] });
    }
    return await alternate(peers, wanted, onTurn);
  } finally {
    await Promise.all(processes.map((process) => process.end()));
  }
}
