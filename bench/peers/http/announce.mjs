import { serveTasks } from '../../peer-tasks.mjs';

/**
 * Prints the address of the server, and stops the server when the run no longer needs it.
 * @param pids the processes that answer, if it is not this one
 */
export function announce(url, end = () => {}, pids = [process.pid]) {
  serveTasks({ ready: { url, pids }, handle: () => ({}), end });
}

/** Listens on a free loopback port. */
export function listen(server) {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`));
  });
}
