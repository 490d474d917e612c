import type { Row } from '../row.js';
import { crashed, exited, PLACE } from './endings.js';

const by = 'process isolation';

/** Plugins that end their own process, by mistake or not. */
export const CRASHES: readonly Row[] = [
  {
    id: 'H01',
    does: 'writes through a null pointer',
    fixture: 'h01_null_dereference',
    by,
    expected: crashed('SIGSEGV', { at: PLACE }),
  },
  {
    id: 'H01',
    does: 'writes to an unmapped address',
    fixture: 'h01_wild_write',
    by,
    expected: crashed('SIGSEGV', { at: PLACE }),
  },
  {
    id: 'H01',
    does: 'calls an address without code',
    fixture: 'h01_wild_call',
    by,
    // The instruction pointer is outside the plugin by then; the call that led there is in it.
    expected: crashed('SIGSEGV', { at: PLACE }),
  },
  {
    id: 'H01',
    does: 'executes a trap instruction',
    fixture: 'h01_trap',
    by,
    expected: crashed(process.arch === 'x64' ? 'SIGILL' : 'SIGTRAP', { at: PLACE }),
  },
  ...(process.arch === 'x64'
    ? [
        {
          id: 'H01',
          does: 'divides by zero',
          fixture: 'h01_division',
          by,
          expected: crashed('SIGFPE', { at: PLACE }),
        } as const,
      ]
    : []),
  {
    id: 'H02',
    does: 'aborts',
    fixture: 'h02_abort',
    by,
    expected: crashed('SIGABRT', { at: PLACE, stderr: /state is inconsistent/ }),
  },
  {
    id: 'H02',
    does: 'frees a block twice',
    fixture: 'h02_double_free',
    by: `${by}; glibc's heap checks`,
    expected: crashed('SIGABRT', { at: PLACE, stderr: /double free/ }),
  },
  {
    id: 'H02',
    does: 'writes to a freed block',
    fixture: 'h02_use_after_free',
    by: `${by}; glibc's heap checks`,
    expected: crashed('SIGABRT', { at: PLACE, stderr: /malloc\(\)/ }),
  },
  {
    id: 'H03',
    does: 'overflows its stack',
    fixture: 'h03_stack_overflow',
    by,
    expected: crashed('SIGSEGV', { at: PLACE }),
  },
  {
    id: 'H04',
    does: 'overflows the stack of its own thread',
    fixture: 'h04_thread_stack_overflow',
    by,
    expected: crashed('SIGSEGV', { at: PLACE }),
  },
  {
    id: 'H05',
    does: 'crashes in its own thread',
    fixture: 'h05_thread_crash',
    by,
    expected: crashed('SIGSEGV', { at: PLACE }),
  },
  {
    id: 'H17',
    does: 'calls exit(0)',
    fixture: 'h17_exit',
    by: 'the server, for which a call without an answer has failed',
    expected: exited(),
  },
  {
    id: 'H17',
    does: 'calls _exit(0)',
    fixture: 'h17_quick_exit',
    by: 'the server, for which a call without an answer has failed',
    expected: exited(),
  },
  {
    id: 'H17',
    does: 'makes the system call exit directly',
    fixture: 'h17_raw_exit',
    by: 'the server, for which a call without an answer has failed',
    expected: exited(),
  },
];
