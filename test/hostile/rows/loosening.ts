import type { Row } from '../row.js';

const REFUSED = [
  ...['raise_limit', 'raise_limit_of_parent', 'parent_death', 'dumpable', 'setsid', 'setpgid', 'nice'],
  ...['realtime', 'affinity_of_parent', 'kill_parent', 'kill_all', 'kill_group', 'tkill_parent'],
  ...['queue_parent', 'owner_of_signals', 'handle_sigsys', 'become_root'],
];

/** Plugins that look for a way around their limits. */
export const LOOSENING: readonly Row[] = [
  {
    id: 'H26',
    does: 'makes system calls that are newer than the filter',
    fixture: 'h26_newer_call',
    by: 'seccomp, which answers as an older kernel would',
    expected: {
      kind: 'answers',
      answer: { soon: 'ENOSYS', much_later: 'ENOSYS', clone3: 'ENOSYS', thread: 'ok' },
    },
  },
  {
    id: 'H27',
    does: 'raises its limits, outlives its parent, leaves its group, disturbs the server',
    fixture: 'h27_loosen',
    by: 'seccomp, which checks the arguments of calls',
    expected: {
      kind: 'answers',
      answer: {
        ...Object.fromEntries(REFUSED.map((name) => [name, 'EPERM'])),
        ...{ read_limit: 'ok', name: 'ok', kill_self: 'ok' },
        inject_input: 'ENOTTY',
        newer_call: 'ENOSYS',
      },
      refused: [
        ...['kill', 'prctl', 'prlimit', 'rt_sigqueueinfo', 'sched_setaffinity', 'sched_setscheduler'],
        ...['setpgid', 'setpriority', 'setresuid', 'setrlimit', 'setsid', 'tkill'],
      ],
    },
  },
];
