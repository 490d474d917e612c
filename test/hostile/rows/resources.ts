import type { Row } from '../row.js';
import { outOfMemory, PLACE } from './endings.js';

/** The defaults of limits.memory and limits.open_files. */
const MEBIBYTES = 256;
const OPEN_FILES = 64;
/** The most descriptors that the runner itself keeps open. */
const OWN_FILES_MAX = 8;
const PIPE_BYTES = 64 * 1024;
/** More than one default buffer of a socket, as the kernel counts it. */
const SOCKET_BYTES = 512 * 1024;
/** The default of limits.threads. */
const THREADS = 64;
/** The limit that the runner sets. */
const PENDING_SIGNALS = 1024;

/** Plugins that take memory, descriptors and threads. */
export const RESOURCES: readonly Row[] = [
  {
    id: 'H09',
    does: 'allocates until that fails, and handles the error',
    fixture: 'h09_checked_memory_bomb',
    // Without this, the server would replace a process that uses more than half of its limit.
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
    does: 'allocates until that fails, and writes to the null pointer',
    fixture: 'h10_unchecked_memory_bomb',
    entry: 'recycle: { memory: 0 }',
    by: 'RLIMIT_DATA, then process isolation',
    expected: outOfMemory('SIGSEGV', { at: PLACE }),
  },
  {
    id: 'H10',
    does: 'allocates until that fails, in C++',
    fixture: 'h10_bad_alloc',
    entry: 'recycle: { memory: 0 }',
    by: 'RLIMIT_DATA, then std::terminate()',
    expected: outOfMemory('SIGABRT', { stderr: /std::bad_alloc/ }),
  },
  {
    id: 'H10',
    does: 'allocates until that fails, in Rust',
    fixture: 'h10_rust_out_of_memory',
    entry: 'recycle: { memory: 0 }',
    by: 'RLIMIT_DATA, then the Rust runtime',
    expected: outOfMemory('SIGABRT', { stderr: /memory allocation of \d+ bytes failed/ }),
  },
  {
    id: 'H10',
    does: 'allocates until that fails, in Go',
    fixture: 'h10_go_out_of_memory',
    entry: 'recycle: { memory: 0 }',
    by: 'RLIMIT_DATA, then the Go runtime',
    // A dump of every goroutine follows.
    expected: outOfMemory('SIGABRT', { stderr: /fatal error: .*(out of memory|cannot allocate)/ }),
  },
  {
    id: 'H11',
    does: 'maps shared memory, growing stacks and huge pages',
    fixture: 'h11_shared_memory_bomb',
    by: 'seccomp, which checks the flags of mmap',
    expected: {
      kind: 'answers',
      answer: { shared: 0, shared_error: 'ENOMEM', grows_down: 0, huge: 0 },
    },
  },
  {
    id: 'H12',
    does: 'keeps memory in anonymous files',
    fixture: 'h12_memfd',
    by: 'seccomp',
    expected: { kind: 'answers', answer: { memfd_create: 'EPERM' }, refused: ['memfd_create'] },
  },
  {
    id: 'H12',
    does: 'creates System V shared memory',
    fixture: 'h12_sysv_shm',
    by: 'seccomp',
    expected: { kind: 'answers', answer: { shmget: 'EPERM' }, refused: ['shmget'] },
  },
  {
    id: 'H13',
    does: 'opens files and never closes any',
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
      // A pipe holds less than 64 KiB when its user already has much pipe memory.
      numbers: { kept: [1, (OPEN_FILES / 2) * PIPE_BYTES] },
    },
  },
  {
    id: 'H16',
    does: 'starts threads until that fails',
    fixture: 'h16_thread_bomb',
    by: 'RLIMIT_DATA, which counts their stacks',
    expected: { kind: 'answers', answer: { one_more: 'EAGAIN' }, numbers: { threads: [8, 64] } },
  },
  {
    id: 'H52',
    does: 'starts threads without memory of their own until that fails',
    fixture: 'h52_bare_threads',
    by: 'RLIMIT_NPROC in a separate user namespace',
    expected: {
      kind: 'answers',
      answer: { one_more: 'EAGAIN', clone3: 'ENOSYS' },
      numbers: { threads: [THREADS, THREADS] },
    },
  },
  {
    id: 'H53',
    does: 'uses up the resources that the kernel counts per user',
    fixture: 'h53_quotas',
    by: 'RLIMIT_SIGPENDING in a separate user namespace; seccomp',
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
  {
    id: 'H63',
    does: 'takes kernel objects that no limit of memory counts, or that watch others',
    fixture: 'h63_kernel_objects',
    by: 'seccomp and Landlock; RLIMIT_NOFILE for the rest',
    expected: {
      kind: 'answers',
      answer: {
        ...{ inotify: 'EPERM', signalfd: 'EPERM', lease: 'EPERM', dnotify: 'EPERM', owner: 'EPERM' },
        ...{ handle: 'EPERM', mq: 'EPERM', msgget: 'EPERM', semget: 'EPERM', aio: 'EPERM' },
        ...{ terminal: 'EACCES', shared_memory: 'EACCES', mlock: 'EPERM', mlockall: 'EPERM' },
        ...{ memfd_secret: 'EPERM', vmsplice: 'EPERM', pkey: 'EPERM' },
        ...{ eventfd: 'ok', timerfd: 'ok', epoll: 'ok', enlarge: 'EPERM', one_more: 'EMFILE' },
      },
      numbers: { pairs: [1, OPEN_FILES / 2], kept: [1, (OPEN_FILES / 2) * SOCKET_BYTES] },
      refused: [
        ...['filesystem.write (open)', 'inotify_init1', 'io_setup', 'memfd_secret', 'mq_open', 'msgget'],
        ...['name_to_handle_at', 'pkey_alloc', 'semget', 'signalfd4', 'vmsplice'],
      ],
    },
  },
];
