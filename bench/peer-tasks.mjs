import { createInterface } from 'node:readline';

/**
 * The peer's end of PeerProcess: says it is ready, answers each line with what `handle(task)` resolves
 * to, and calls `end()` when there is nothing more to do.
 */
export function serveTasks({ ready = {}, handle, end = () => {} }) {
  // Ctrl-C reaches every process of a terminal; this one ends when the run is done with it.
  process.on('SIGINT', () => {});
  const lines = createInterface({ input: process.stdin });
  const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
  lines.on('line', (line) => {
    Promise.resolve(handle(JSON.parse(line))).then(say, fail);
  });
  lines.once('close', () => {
    Promise.resolve(end()).then(() => process.exit(0), fail);
  });
  say(ready);
}

function fail(error) {
  process.stderr.write(`${error?.stack ?? error}\n`);
  process.exit(1);
}
