import { createInterface } from 'node:readline';

/**
 * The peer's side of PeerProcess: reports that it is ready, answers each line with the result of
 * `handle(task)`, and calls `end()` at the end of the input.
 */
export function serveTasks({ ready = {}, handle, end = () => {} }) {
  // Ctrl-C reaches every process of a terminal. This process exits when the run no longer needs it.
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
