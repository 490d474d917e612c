import type { Row } from '../row.js';
import { violated } from './endings.js';

const by = 'seccomp, which ends the process';

/** Plugins that make system calls known from attacks on kernels, or calls that a simple filter overlooks. */
export const SYSTEM_CALLS: readonly Row[] = [
  {
    id: 'H25',
    does: 'creates a user namespace',
    fixture: 'h25_unshare',
    by,
    expected: violated('unshare'),
  },
  { id: 'H25', does: 'mounts a file system', fixture: 'h25_mount', by, expected: violated('mount') },
  { id: 'H25', does: 'loads a BPF program', fixture: 'h25_bpf', by, expected: violated('bpf') },
  {
    id: 'H25',
    does: 'opens an io_uring',
    fixture: 'h25_io_uring',
    by,
    expected: violated('io_uring_setup'),
  },
  { id: 'H25', does: 'reads kernel keys', fixture: 'h25_keyctl', by, expected: violated('keyctl') },
  {
    id: 'H25',
    does: 'handles page faults with userfaultfd',
    fixture: 'h25_userfaultfd',
    by,
    expected: violated('userfaultfd'),
  },
  {
    id: 'H25',
    does: 'takes a descriptor from another process',
    fixture: 'h25_pidfd_getfd',
    by,
    expected: violated('pidfd_getfd'),
  },
  {
    id: 'H25',
    does: 'keeps memory in kernel keys',
    fixture: 'h25_add_key',
    by,
    expected: violated('add_key'),
  },
  {
    id: 'H25',
    does: 'measures the processor',
    fixture: 'h25_perf_event_open',
    by,
    expected: violated('perf_event_open'),
  },
  {
    id: 'H25',
    does: 'watches every file of the system',
    fixture: 'h25_fanotify_init',
    by,
    expected: violated('fanotify_init'),
  },
  // The kernel ends these processes at once, so the runner cannot report the call.
  ...(process.arch === 'x64'
    ? ([
        {
          id: 'H25',
          does: 'makes a system call through the 32-bit interface',
          fixture: 'h25_int80',
          by,
          expected: violated(),
        },
        {
          id: 'H25',
          does: 'makes a system call by its x32 number',
          fixture: 'h25_x32',
          by,
          expected: violated(),
        },
      ] as const)
    : []),
];
