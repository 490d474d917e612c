/** `npm start`: setup, then the weather example in this process. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './run.mjs';

const ORPHAN_CHECK_MS = 200;

const setup = spawnSync(process.execPath, [join(root, 'scripts/setup.mjs'), 'start'], { stdio: 'inherit' });
if (setup.status !== 0) process.exit(setup.status ?? 1);
stopWithShell();

const main = join(root, 'dist/cli/main.js');
const config = join(root, 'examples/weather/backworks.yaml');
process.argv.splice(1, 1, main, 'start', '--config', config);
await import(pathToFileURL(main).href);

/**
 * A signal sent to npm ends the shell between npm and this process, and the shell does not forward it. The
 * server would keep running and keep its port. Therefore it stops when its parent process is gone.
 */
function stopWithShell() {
  const shell = process.ppid;
  const check = setInterval(() => {
    if (process.ppid !== shell) process.kill(process.pid, 'SIGTERM');
  }, ORPHAN_CHECK_MS);
  check.unref();
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      // A second signal would cut an orderly stop short. If nothing else listens yet, this signal ends the process.
      clearInterval(check);
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    });
  }
}
