import { benchPlugin, compileC } from '../build.mjs';
import { alternate } from '../measure.mjs';
import { buildExtism } from '../peers/extism/build.mjs';
import { buildGoPlugin } from '../peers/go-plugin/build.mjs';
import { withPeers } from '../peers.mjs';
import { ANSWER, ENDPOINT, METHOD, REQUEST } from '../plugin/payload.mjs';

export const name = 'call';
export const title = 'One call to a plugin';
const FLOOR = 'C socketpair ping-pong';
const ISOLATED = 'Backworks, isolated';
const UNSANDBOXED = 'Backworks, isolated, sandbox: off';
const KOFFI = 'koffi by hand, in-process';
export const takes = { full: 140, quick: 18 };
export const rounds = { full: 9, quick: 3 };
export const charts = [
  { key: 'perCall64', title: 'One call, 64 in flight', unit: 'µs per call', better: 'less', scale: 'log' },
  { name: 'p50', key: 'p50', title: 'One call at a time, p50', unit: 'µs', better: 'less', scale: 'log' },
];
export const metrics = [
  { key: 'p50', label: 'one at a time, p50', unit: 'µs', compare: { by: 'ratio', to: FLOOR } },
  { key: 'p99', label: 'one at a time, p99', unit: 'µs' },
  { key: 'perCall64', label: '64 in flight, per call', unit: 'µs', compare: { by: 'ratio', to: ISOLATED } },
  { key: 'loop', label: 'in a loop, per call', unit: 'µs', compare: { by: 'ratio', to: KOFFI } },
  { key: 'perCall256', label: '256 in flight, per call', unit: 'µs' },
];

const payload = { endpoint: ENDPOINT, method: METHOD, data: REQUEST, answer: ANSWER };

/** Name → command line. Each process handles the tasks of peers/call/measure-calls.mjs. */
function commands({ install }) {
  // Extism's SDK loads Node's experimental WASI.
  const node = (...args) => [process.execPath, '--disable-warning=ExperimentalWarning', ...args];
  const own =
    (script, ...more) =>
    () =>
      node(`bench/peers/call/${script}.mjs`, benchPlugin(), ...more);
  const extism = (mode) => () => [...node('bench/peers/extism/main.mjs', buildExtism({ install })), mode];
  const pingPong = () => compileC('peers/call/ping_pong.c', 'ping_pong');
  const go = (protocol) => () => [
    buildGoPlugin({ install }),
    benchPlugin(),
    protocol,
    JSON.stringify(payload),
  ];
  return {
    [FLOOR]: () => [pingPong()],
    'Node, socketpair, C program': () => node('bench/peers/call/echo.mjs', pingPong()),
    [ISOLATED]: own('isolated'),
    [UNSANDBOXED]: own('isolated', 'off'),
    'Backworks, in-process': own('in-process'),
    [KOFFI]: own('koffi'),
    'Node fork + IPC + koffi': own('fork-koffi'),
    'Extism JS SDK, main thread': extism('main'),
    'Extism JS SDK, worker': extism('worker'),
    'HashiCorp go-plugin, net/rpc': go('netrpc'),
    'HashiCorp go-plugin, gRPC': go('grpc'),
  };
}

export function run({ rounds: wanted, quick, onTurn }) {
  const open = async (process) => {
    const measure = parts(process, quick ? 100 : 350);
    for (const part of measure) await part();
    return measure;
  };
  return withPeers(commands({ install: !quick }), open, (peers) => alternate(peers, wanted, onTurn));
}

function parts(process, milliseconds) {
  const wide = async (width) => {
    const { perCall } = await process.ask({ milliseconds, width });
    return { [`perCall${width}`]: perCall };
  };
  return [
    async () => {
      const { p50, p99, loop } = await process.ask({ milliseconds, width: 1 });
      return { p50, p99, ...(loop === undefined ? {} : { loop }) };
    },
    () => wide(64),
    () => wide(256),
  ];
}
