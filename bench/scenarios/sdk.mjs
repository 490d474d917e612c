import { alternate } from '../measure.mjs';
import { taskPeer, withPeers } from '../peers.mjs';
import { SDK_PLUGINS } from '../sdk-plugins.mjs';

export const name = 'sdk';
export const title = 'The same plugin with each SDK';
export const RAW = 'C, the header alone';
export const takes = { full: 60, quick: 10 };
export const rounds = { full: 11, quick: 3 };
export const charts = [
  { key: 'perCall64', title: 'An isolated call, 64 in flight', unit: 'µs per call', better: 'less' },
];
export const metrics = [
  { key: 'p50', label: 'one at a time, p50', unit: 'µs', compare: { by: 'ratio', to: RAW } },
  { key: 'perCall64', label: '64 in flight, per call', unit: 'µs', compare: { by: 'ratio', to: RAW } },
  { key: 'cpu', label: 'CPU of server and runner per call', unit: 'µs', compare: { by: 'ratio', to: RAW } },
  { key: 'loop', label: 'in-process, in a loop', unit: 'µs', compare: { by: 'difference', to: RAW } },
];

/** Name → the plugin of sdk-plugins.mjs. */
const PEERS = {
  [RAW]: 'raw',
  'C SDK': 'c',
  'C++ SDK': 'cpp',
  'Rust SDK': 'rust',
  'Go SDK': 'go',
  'Zig SDK': 'zig',
};

export function run({ rounds: wanted, quick, onTurn }) {
  const milliseconds = quick ? 100 : 300;
  const commands = Object.fromEntries(
    Object.entries(PEERS).map(([peer, plugin]) => [
      peer,
      () => taskPeer('peers/call/sdk.mjs', SDK_PLUGINS[plugin]({ install: !quick })),
    ]),
  );
  const open = async (process) => {
    const ask = (width) => process.ask({ milliseconds, width });
    const parts = [
      async () => ({ p50: (await ask(1)).p50 }),
      async () => {
        const { perCall, ...cpu } = await ask(64);
        return { perCall64: perCall, ...cpu };
      },
      () => ask(0),
    ];
    for (const part of parts) await part();
    return parts;
  };
  return withPeers(commands, open, (peers) => alternate(peers, wanted, onTurn));
}
