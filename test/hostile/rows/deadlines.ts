import type { Row } from '../row.js';
import { timedOut, usedUp } from './endings.js';

const by = 'SIGKILL at the deadline';
const callMs = 800;

/** Plugins that never answer. */
export const DEADLINES: readonly Row[] = [
  {
    id: 'H06',
    does: 'computes for ever',
    fixture: 'h06_infinite_loop',
    callMs,
    by,
    expected: timedOut('while computing'),
  },
  {
    id: 'H06',
    does: 'sleeps for ever',
    fixture: 'h06_sleep',
    callMs,
    by,
    expected: timedOut('while waiting'),
  },
  {
    id: 'H06',
    does: 'waits for four threads that compute for ever',
    fixture: 'h06_busy_threads',
    entry: 'limits: { cpu_time: 300ms }',
    by: 'limits.cpu_time, which counts all threads',
    expected: usedUp('0\\.3 s'),
  },
  {
    id: 'H07',
    does: 'blocks every signal and computes for ever',
    fixture: 'h07_blocks_signals',
    callMs,
    by,
    expected: timedOut('while computing'),
  },
  {
    id: 'H07',
    does: 'ignores every signal and sleeps for ever',
    fixture: 'h07_ignores_signals',
    callMs,
    by,
    expected: timedOut('while waiting'),
  },
  {
    id: 'H07',
    does: 'handles its crash by returning to the faulty instruction',
    fixture: 'h07_returning_handler',
    callMs,
    by,
    expected: timedOut('while computing'),
  },
  {
    id: 'H08',
    does: 'stops itself with raise(SIGSTOP)',
    fixture: 'h08_raise_stop',
    callMs,
    by,
    expected: timedOut('halted by a signal'),
  },
  {
    id: 'H08',
    does: 'stops itself with kill(getpid(), SIGSTOP)',
    fixture: 'h08_kill_stop',
    callMs,
    by,
    expected: timedOut('halted by a signal'),
  },
];
