import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { InProcessPlugin } from '../../../dist/native/in-process/in-process.js';
import { IsolatedPlugin } from '../../../dist/native/pool/isolated.js';
import { nativeOptions, unguarded } from '../../native-options.mjs';
import { ENDPOINT, METHOD } from '../../plugin/payload.mjs';

/**
 * Kind of call → function that opens the library and resolves to `{ call, pid, complete, close }`. `call(ms)`
 * resolves when the plugin has computed for this many ms. `complete()` resolves when there is a process to kill
 * again.
 */
export const WAYS = { idle, 'in-process': inProcess, isolated, fork: forked };

/** Nothing computes: measures the delay that the machine and Node cause by themselves. */
function idle() {
  return { call: (milliseconds) => pause(milliseconds), close() {} };
}

async function inProcess(library) {
  const plugin = await InProcessPlugin.open(nativeOptions('computing', library));
  return { call: caller(plugin), close: () => plugin.close() };
}

async function isolated(library) {
  const options = nativeOptions('computing', library);
  const plugin = await IsolatedPlugin.open({
    ...options,
    // This scenario does not measure the CPU limit of a call.
    callCpuMs: 10_000,
    // The spare takes over in any case. This delay only affects when the next spare starts.
    restart: { delayMs: 1, maxDelayMs: 1 },
    events: { ...options.events, failed() {} },
  });
  const count = (wanted) => plugin.processes().filter(({ state }) => state === wanted).length;
  return {
    call: caller(plugin),
    pid: () => plugin.processes().find(({ state }) => state === 'ready').pid,
    complete: async () => {
      while (count('ready') === 0 || count('spare') === 0) await pause(1);
    },
    close: () => plugin.close(),
  };
}

function caller(plugin) {
  return async (milliseconds) =>
    plugin.call('process_endpoint', [ENDPOINT, METHOD, String(milliseconds)], unguarded());
}

/** A Node child process that calls the library with koffi, forked again when it has exited. */
function forked(library) {
  const program = fileURLToPath(new URL('../call/fork-koffi-child.mjs', import.meta.url));
  const start = () => fork(program, [library]);
  let child = start();
  return {
    call: async (milliseconds) => {
      if (child.killed || child.exitCode !== null || child.signalCode !== null) child = start();
      const ended = once(child, 'exit').then(() => null);
      child.send({ id: 0, endpoint: ENDPOINT, method: METHOD, data: String(milliseconds) }, () => {});
      const answer = await Promise.race([once(child, 'message'), ended]);
      if (answer === null) throw Object.assign(new Error('the child ended'), { code: 'BW_PLUGIN_CRASH' });
    },
    pid: () => child.pid,
    complete: async () => {},
    close: () => child.disconnect(),
  };
}
