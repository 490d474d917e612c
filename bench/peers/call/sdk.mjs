import { isDeepStrictEqual } from 'node:util';
import { IsolatedPlugin } from '../../../dist/native/pool/isolated.js';
import { InProcessPlugin } from '../../../dist/native/in-process/in-process.js';
import { cpuTimeUs } from '../../cpu-time.mjs';
import { inFlight, inLoop, oneAtATime } from '../../call-loops.mjs';
import { nativeOptions, unguarded } from '../../native-options.mjs';
import { serveTasks } from '../../peer-tasks.mjs';
import { DOCUMENT, ENDPOINT, METHOD } from '../../plugin/payload.mjs';

/** The plugin of an SDK, in a runner and in this process. Tasks: see measure-calls.mjs. */
const [library] = process.argv.slice(2);
const isolated = await IsolatedPlugin.open(nativeOptions('bench', library));
const inProcess = await InProcessPlugin.open(nativeOptions('bench', library));
const caller = (plugin) => () => plugin.call('process_endpoint', [ENDPOINT, METHOD, DOCUMENT], unguarded());

const BODY = { city: 'lisbon', celsius: 21.5, sky: 'fair' };
const check = (answer) => {
  const { status, body } = JSON.parse(String(answer));
  if (status !== 200 || !isDeepStrictEqual(body, BODY))
    throw new Error(`unexpected answer: ${String(answer)}`);
};

const pidsNow = () => isolated.processes().map(({ pid }) => pid);

/** Measures again when a process was replaced meanwhile, because its CPU time is gone. */
async function measured(width, milliseconds) {
  for (;;) {
    const pids = pidsNow();
    const [began, before] = [performance.now(), cpuTimeUs([process.pid, ...pids])];
    const perCall = await inFlight(caller(isolated), check, width, milliseconds);
    const calls = ((performance.now() - began) * 1000) / perCall;
    if (String(pidsNow()) !== String(pids)) continue;
    return {
      perCall,
      ...(before === null ? {} : { cpu: (cpuTimeUs([process.pid, ...pids]) - before) / calls }),
    };
  }
}

serveTasks({
  handle: async ({ milliseconds, width }) => {
    if (width === 0) return { loop: inLoop(caller(inProcess), check, milliseconds) };
    if (width === 1) return oneAtATime(caller(isolated), check, milliseconds);
    return measured(width, milliseconds);
  },
  end: async () => {
    await isolated.close();
    await inProcess.close();
  },
});
