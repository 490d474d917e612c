import koffi from 'koffi';
import { constants } from 'node:os';

const PR_SET_PDEATHSIG = 1;

/**
 * Makes the kernel end this process when the process that started it ends. Linux only: elsewhere this does
 * nothing.
 * @param parent process that is expected to have started this one
 * @returns false when the parent had already ended, so that no signal will come
 */
export function endWithParent(parent: number): boolean {
  if (process.platform === 'linux') {
    const prctl = koffi.load(null).func('prctl', 'int', ['int', 'unsigned long']);
    // prctl() cannot fail with a valid signal.
    prctl(PR_SET_PDEATHSIG, constants.signals.SIGKILL);
  }
  return process.ppid === parent;
}
