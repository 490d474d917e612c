import type { Row } from '../row.js';
import { outOfMemory, PLACE } from './endings.js';

/** The defaults of limits.memory and limits.open_files. */
const MEBIBYTES = 256;
const OPEN_FILES = 64;
/** Descriptors the runner has itself, at most. */
const OWN_FILES_MAX = 8;
const PIPE_BYTES = 64 * 1024;
/** The default of limits.threads. */
const THREADS = 64;
/** As the runner sets it. */
const PENDING_SIGNALS = 1024;

/** Plugins that take memory, descriptors and threads. */
export const RESOURCES: readonly Row[] = [
  {
    id: 'H09',
    does: 'takes all memory and notices the end of it',
    fixture: 'h09_checked_memory_bomb',
    // More than half of the limit would have it replaced, sooner or later.
    entry: 'recycle: { memory: 0 }',
    by: 'RLIMIT_DATA',
    expected: {
      kind: 'answers',
      answer: { one_more: 'ENOMEM' },
      numbers: { mebibytes: [MEBIBYTES / 2, MEBIBYTES] },
    },
  },
  {
    id: 'H10',
    does: 'takes all memory and writes to what it did not get',
    fixture: 'h10_unchecked_memory_bomb',
    entry: 'recycle: { memory: 0 }',
    by: 'RLIMIT_DATA, then a process of its own',
    expected: outOfMemory('SIGSEGV', { at: PLACE }),
  },
  {
    id: 'H10',
    does: 'takes all memory in C++',
    fixture: 'h10_bad_alloc',
    entry: 'recycle: { memory: 0 }',
    by: 'RLIMIT_DATA, then std::terminate()',
    expected: outOfMemory('SIGABRT', { stderr: /std::bad_alloc/ }),
  },
  {
    id: 'H10',
    does: 'takes all memory in Rust',
    fixture: 'h10_rust_out_of_memory',
    entry: 'recycle: { memory: 0 }',
    by: 'RLIMIT_DATA, then the runtime of Rust',
    expected: outOfMemory('SIGABRT', { stderr: /memory allocation of \d+ bytes failed/ }),
  },
  {
    id: 'H10',
    does: 'takes all memory in Go',
    fixture: 'h10_go_out_of_memory',
    entry: 'recycle: { memory: 0 }',
    by: 'RLIMIT_DATA, then the runtime of Go',
    // A dump of every goroutine follows.
    expected: outOfMemory('SIGABRT', { stderr: /fatal error: .*(out of memory|cannot allocate)/ }),
  },
  {
    id: 'H11',
    does: 'takes memory that could be shared, that grows, and huge pages',
    fixture: 'h11_shared_memory_bomb',
    by: 'seccomp, by the flags of mmap',
    expected: {
      kind: 'answers',
      answer: { shared: 0, shared_error: 'ENOMEM', grows_down: 0, huge: 0 },
    },
  },
  {
    id: 'H12',
    does: 'keeps memory in files without a name',
    fixture: 'h12_memfd',
    by: 'seccomp',
    expected: { kind: 'answers', answer: { memfd_create: 'EPERM' }, refused: ['memfd_create'] },
  },
  {
    id: 'H12',
    does: 'asks for System V shared memory',
    fixture: 'h12_sysv_shm',
    by: 'seccomp',
    expected: { kind: 'answers', answer: { shmget: 'EPERM' }, refused: ['shmget'] },
  },
  {
    id: 'H13',
    does: 'opens files and closes none',
    fixture: 'h13_descriptor_leak',
    by: 'RLIMIT_NOFILE',
    expected: {
      kind: 'answers',
      answer: { one_more: 'EMFILE' },
      numbers: { opened: [OPEN_FILES - OWN_FILES_MAX, OPEN_FILES] },
    },
  },
  {
    id: 'H14',
    does: 'keeps memory in pipes',
    fixture: 'h14_pipes_as_memory',
    by: 'RLIMIT_NOFILE; seccomp keeps pipes small',
    expected: {
      kind: 'answers',
      answer: { enlarge: 'EPERM', one_more: 'EMFILE' },
      // Less than 64 KiB a pipe where the system has given its user much pipe memory already.
      numbers: { kept: [1, (OPEN_FILES / 2) * PIPE_BYTES] },
    },
  },
  {
    id: 'H16',
    does: 'starts threads until it gets no more',
    fixture: 'h16_thread_bomb',
    by: 'RLIMIT_DATA, which counts their stacks',
    expected: { kind: 'answers', answer: { one_more: 'EAGAIN' }, numbers: { threads: [8, 64] } },
  },
  {
    id: 'H52',
    does: 'starts threads that take no memory until it gets no more',
    fixture: 'h52_bare_threads',
    by: 'RLIMIT_NPROC in a user namespace of its own',
    expected: {
      kind: 'answers',
      answer: { one_more: 'EAGAIN', clone3: 'ENOSYS' },
      numbers: { threads: [THREADS, THREADS] },
    },
  },
  {
    id: 'H53',
    does: 'uses up what the kernel gives each user',
    fixture: 'h53_quotas',
    by: 'RLIMIT_SIGPENDING in a user namespace of its own; seccomp',
    expected: {
      kind: 'answers',
      answer: {
        ...{ timer_before: 'ok', one_more_signal: 'EAGAIN', timer_after: 'EAGAIN' },
        ...{ pair: 'ok', send: 'ok', receive: 'ok', sendmsg: 'EPERM', sendmmsg: 'EPERM', lock: 'EPERM' },
      },
      numbers: { signals: [PENDING_SIGNALS - 1, PENDING_SIGNALS - 1] },
      refused: ['sendmsg'],
    },
  },
];
