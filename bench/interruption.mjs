import { setMaxListeners } from 'node:events';

/** Ctrl-C ends a run in good order: what is under way is given up, and every peer is ended. */
const controller = new AbortController();
export const { signal: interruption } = controller;
setMaxListeners(0, interruption);

export class Interrupted extends Error {}

/** From now on the first SIGINT or SIGTERM interrupts; a second one ends this process at once. */
export function listenForInterruption() {
  for (const name of ['SIGINT', 'SIGTERM']) {
    process.on(name, () => {
      if (interruption.aborted) process.exit(130);
      process.stderr.write(`bench: ${name}, ending the peers\n`);
      controller.abort(new Interrupted('interrupted'));
    });
  }
}
