import { alternate } from '../measure.mjs';
import { taskPeer, withPeers } from '../peers.mjs';

const ALONE = 'the call alone';

export const name = 'resilience';
export const title = 'Breaker, bulkhead, deadline and metrics around a call';
export const metrics = [
  { key: 'perCall', label: 'per call', unit: 'µs', compare: { by: 'difference', to: ALONE } },
];
export const takes = { full: 16, quick: 4 };
export const rounds = { full: 9, quick: 3 };
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

export function run({ rounds: wanted, quick, onTurn }) {
  const task = { milliseconds: quick ? 200 : 500 };
  const commands = Object.fromEntries(
    Object.entries(PEERS).map(([peer, guards]) => [peer, () => taskPeer('peers/guards.mjs', guards)]),
  );
  const open = async (process) => {
    await process.ask(task);
    return () => process.ask(task);
  };
  return withPeers(commands, open, (peers) => alternate(peers, wanted, onTurn));
}
