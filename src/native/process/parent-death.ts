import koffi from 'koffi';
import { constants } from 'node:os';

const PR_SET_PDEATHSIG = 1;

/**
 * Has the kernel end this process, whatever it is doing, when the one that started it ends. Linux only:
 * elsewhere nothing happens.
 * @param parent process that is expected to have started this one
 * @returns false when it had ended by then, so that nothing would tell of it
 */
export function endWithParent(parent: number): boolean {
  if (process.platform === 'linux') {
    const prctl = koffi.load(null).func('prctl', 'int', ['int', 'unsigned long']);
    // It cannot fail with a signal that exists.
    prctl(PR_SET_PDEATHSIG, constants.signals.SIGKILL);
  }
  return process.ppid === parent;
}
