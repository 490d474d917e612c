import { alternate } from '../measure.mjs';
import { PeerProcess } from '../peer-process.mjs';

const ALONE = 'the call alone';

export const name = 'resilience';
export const title = 'Breaker, bulkhead, deadline and metrics around a call';
export const metrics = [
  { key: 'perCall', label: 'per call', unit: 'µs', compare: { by: 'difference', to: ALONE } },
];
export const takes = { full: 16, quick: 4 };
export const charts = [
  {
    key: 'perCall',
    title: 'A call that takes no time, with its guards',
    unit: 'µs per call',
    better: 'less',
  },
];

/** Name → the guards of peers/guards.mjs. */
const PEERS = {
  [ALONE]: 'none',
  'Backworks PluginExecutor': 'executor',
  'cockatiel wrap(), without metrics': 'cockatiel',
};

export async function run({ rounds, quick, onTurn }) {
  const task = { milliseconds: quick ? 200 : 500 };
  const processes = [];
  try {
    const peers = [];
    for (const [peer, guards] of Object.entries(PEERS)) {
      const process = PeerProcess.node('peers/guards.mjs', guards);
      processes.push(process);
      await process.answer();
      await process.ask(task);
      peers.push({ name: peer, measure: () => process.ask(task) });
    }
    return await alternate(peers, rounds, onTurn);
  } finally {
    await Promise.all(processes.map((process) => process.end()));
  }
}
