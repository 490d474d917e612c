import { setMaxListeners } from 'node:events';

/** Ctrl-C stops a run cleanly: the current measurement is dropped, and every peer is stopped. */
const controller = new AbortController();
export const { signal: interruption } = controller;
setMaxListeners(0, interruption);

export class Interrupted extends Error {}

/** From now on, the first SIGINT or SIGTERM interrupts the run. A second one ends this process at once. */
export function listenForInterruption() {
  for (const name of ['SIGINT', 'SIGTERM']) {
    process.on(name, () => {
      if (interruption.aborted) process.exit(130);
      process.stderr.write(`bench: ${name}, stopping the peers\n`);
      controller.abort(new Interrupted('interrupted'));
    });
  }
}
