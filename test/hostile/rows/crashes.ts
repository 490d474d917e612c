import type { Row } from '../row.js';
import { crashed, exited, PLACE } from './endings.js';

const by = 'a process of its own';

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
    does: 'writes to an address of nobody',
    fixture: 'h01_wild_write',
    by,
    expected: crashed('SIGSEGV', { at: PLACE }),
  },
  {
    id: 'H01',
    does: 'calls an address without code',
    fixture: 'h01_wild_call',
    by,
    // The processor is nowhere in the plugin by then.
    expected: crashed('SIGSEGV', { at: null }),
  },
  {
    id: 'H01',
    does: 'reaches a trap',
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
    by: `${by}, the checks of glibc`,
    expected: crashed('SIGABRT', { at: PLACE, stderr: /double free/ }),
  },
  {
    id: 'H02',
    does: 'writes to a freed block',
    fixture: 'h02_use_after_free',
    by: `${by}, the checks of glibc`,
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
    does: 'overflows the stack of a thread of its own',
    fixture: 'h04_thread_stack_overflow',
    by,
    expected: crashed('SIGSEGV', { at: PLACE }),
  },
  {
    id: 'H05',
    does: 'crashes in a thread of its own',
    fixture: 'h05_thread_crash',
    by,
    expected: crashed('SIGSEGV', { at: PLACE }),
  },
  {
    id: 'H17',
    does: 'calls exit(0)',
    fixture: 'h17_exit',
    by: 'a call without an answer is a failure',
    expected: exited(),
  },
  {
    id: 'H17',
    does: 'calls _exit(0)',
    fixture: 'h17_quick_exit',
    by: 'a call without an answer is a failure',
    expected: exited(),
  },
  {
    id: 'H17',
    does: 'makes the bare system call exit',
    fixture: 'h17_raw_exit',
    by: 'a call without an answer is a failure',
    expected: exited(),
  },
];
