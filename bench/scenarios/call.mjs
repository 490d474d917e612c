import { benchPlugin, compileC, Missing } from '../build.mjs';
import { alternate } from '../measure.mjs';
import { PeerProcess } from '../peer-process.mjs';
import { buildExtism } from '../peers/extism/build.mjs';
import { buildGoPlugin } from '../peers/go-plugin/build.mjs';
import { ANSWER, ENDPOINT, METHOD, REQUEST } from '../plugin/payload.mjs';

export const name = 'call';
export const title = 'One call to a plugin';
const FLOOR = 'C socketpair ping-pong';
const ISOLATED = 'Backworks, isolated';
const UNSANDBOXED = 'Backworks, isolated, sandbox: off';
export const chart = { key: 'perCall64', title: 'One call, 64 in flight (µs, less is better)', scale: 'log' };
export const metrics = [
  { key: 'p50', label: 'one at a time, p50', unit: 'µs', compare: { by: 'ratio', to: FLOOR } },
  { key: 'p99', label: 'one at a time, p99', unit: 'µs' },
  { key: 'perCall64', label: '64 in flight, per call', unit: 'µs', compare: { by: 'ratio', to: ISOLATED } },
  { key: 'perCall256', label: '256 in flight, per call', unit: 'µs' },
];

const payload = { endpoint: ENDPOINT, method: METHOD, data: REQUEST, answer: ANSWER };

/** Name → command line. Each is a process that answers the tasks of peers/call/measure-calls.mjs. */
function commands({ install }) {
  // Extism's SDK loads Node's experimental WASI.
  const node = (...args) => [process.execPath, '--disable-warning=ExperimentalWarning', ...args];
  const own =
    (script, ...more) =>
    () =>
      node(`bench/peers/call/${script}.mjs`, benchPlugin(), ...more);
  const extism = (mode) => () => [...node('bench/peers/extism/main.mjs', buildExtism({ install })), mode];
  const go = (protocol) => () => [
    buildGoPlugin({ install }),
    benchPlugin(),
    protocol,
    JSON.stringify(payload),
  ];
  return {
    [FLOOR]: () => [compileC('peers/call/ping_pong.c', 'ping_pong')],
    [ISOLATED]: own('isolated'),
    [UNSANDBOXED]: own('isolated', 'off'),
    'Backworks, in-process': own('in-process'),
    'koffi by hand, in-process': own('koffi'),
    'Node fork + IPC + koffi': own('fork-koffi'),
    'Extism JS SDK, main thread': extism('main'),
    'Extism JS SDK, worker': extism('worker'),
    'HashiCorp go-plugin, net/rpc': go('netrpc'),
    'HashiCorp go-plugin, gRPC': go('grpc'),
  };
}

export async function run({ rounds, quick, onProgress }) {
  const milliseconds = quick ? 100 : 1000;
  const processes = [];
  const peers = Object.entries(commands({ install: !quick })).map(([peer, command]) => {
    try {
      return { name: peer, command: command() };
    } catch (error) {
      if (error instanceof Missing) return { name: peer, missing: error.message };
      throw error;
    }
  });
  try {
    for (const peer of peers.filter(({ command }) => command !== undefined)) {
      const process = new PeerProcess(peer.command);
      processes.push(process);
      await process.answer();
      peer.measure = () => measure(process, milliseconds);
      await peer.measure();
    }
    return await alternate(peers, rounds, onProgress);
  } finally {
    await Promise.all(processes.map((process) => process.end()));
  }
}

async function measure(process, milliseconds) {
  const { p50, p99 } = await process.ask({ milliseconds, width: 1 });
  const { perCall: perCall64 } = await process.ask({ milliseconds, width: 64 });
  const { perCall: perCall256 } = await process.ask({ milliseconds, width: 256 });
  return { p50, p99, perCall64, perCall256 };
}
