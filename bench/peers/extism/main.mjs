import { readFileSync } from 'node:fs';
import createPlugin from '@extism/extism';
import { REQUEST } from '../../plugin/payload.mjs';
import { serveCalls } from '../call/measure-calls.mjs';

/** The SDK keeps every input and output until reset(), at most 32,768 of them. */
const CALLS_PER_RESET = 10_000;

/** Arguments: the module, and "main" or "worker" for the thread that it runs on. */
const [path, thread] = process.argv.slice(2);
const manifest = { wasm: [{ data: readFileSync(path) }] };
const plugin = await createPlugin(manifest, { useWasi: false, runInWorker: thread === 'worker' });

/** A plugin takes one call at a time and refuses a second one, so calls wait for each other here. */
let last = Promise.resolve();
let calls = 0;

async function callAfter(previous) {
  await previous;
  if (++calls % CALLS_PER_RESET === 0) await plugin.reset();
  return plugin.call('process_endpoint', REQUEST);
}

function call() {
  last = callAfter(last);
  return last.then((output) => output.text());
}

serveCalls(call, { end: () => plugin.close() });
