import { execFileSync } from 'node:child_process';
import { encode, type Instruction, parseProgram, run } from './classic-bpf.js';
import { RUNNER } from '../runner-conversation.js';

/** The process id the filters are built for. */
export const PID = 4242;
export const ALLOW = 0x7fff0000;
export const KILL = 0x80000000;
export const REPORT = 0x00030001;
export const FATAL = 0x00030002;
const errno = (number: number): number => 0x00050000 + number;
export const EPERM = errno(1);
export const ENOMEM = errno(12);
export const ENOTTY = errno(25);
export const ENOSYS = errno(38);
export const EPROTONOSUPPORT = errno(93);
export const EAFNOSUPPORT = errno(97);

export const MACHINES = {
  x86_64: { architecture: 0xc000003e, column: 0 },
  arm64: { architecture: 0xc00000b7, column: 1 },
} as const;
export type Machine = keyof typeof MACHINES;
export const machines = Object.keys(MACHINES) as Machine[];

/** Numbers on x86-64 and AArch64, from the kernel's tables; null: the processor has no such call. */
export const NUMBERS = {
  read: [0, 63],
  open: [2, null],
  fstat: [5, 80],
  mmap: [9, 222],
  mprotect: [10, 226],
  brk: [12, 214],
  rt_sigaction: [13, 134],
  ioctl: [16, 29],
  shmget: [29, 194],
  socket: [41, 198],
  connect: [42, 203],
  sendto: [44, 206],
  sendmsg: [46, 211],
  bind: [49, 200],
  listen: [50, 201],
  socketpair: [53, 199],
  setsockopt: [54, 208],
  clone: [56, 220],
  fork: [57, null],
  vfork: [58, null],
  execve: [59, 221],
  kill: [62, 129],
  fcntl: [72, 25],
  ftruncate: [77, 46],
  rename: [82, null],
  mkdir: [83, null],
  creat: [85, null],
  chmod: [90, null],
  ptrace: [101, 117],
  setuid: [105, 146],
  setsid: [112, 157],
  prctl: [157, 167],
  setrlimit: [160, 164],
  mount: [165, 40],
  gettid: [186, 178],
  tkill: [200, 130],
  futex: [202, 98],
  exit_group: [231, 94],
  tgkill: [234, 131],
  add_key: [248, 217],
  openat: [257, 56],
  mkdirat: [258, 34],
  unlinkat: [263, 35],
  unshare: [272, 97],
  prlimit64: [302, 261],
  sendmmsg: [307, 269],
  process_vm_readv: [310, 270],
  sched_setaffinity: [203, 122],
  memfd_create: [319, 279],
  bpf: [321, 280],
  userfaultfd: [323, 282],
  execveat: [322, 281],
  io_uring_setup: [425, 425],
  clone3: [435, 435],
  openat2: [437, 437],
  pidfd_getfd: [438, 438],
  file_setattr: [469, 469],
} as const satisfies Record<string, readonly [number, number | null]>;
export type Call = keyof typeof NUMBERS;

const programs = new Map<string, Instruction[]>();

/** The filter for a plugin with these settings. @throws Error with the runner's message. */
export function filter(machine: Machine, settings: readonly string[]): Instruction[] {
  const key = [machine, ...settings].join(' ');
  let program = programs.get(key);
  if (program === undefined) {
    const args = [
      '--print-filter',
      '--arch',
      machine,
      '--pid',
      String(PID),
      'library=/plugin.so',
      ...settings,
    ];
    program = parseProgram(execFileSync(RUNNER, args, { encoding: 'utf8', stdio: 'pipe' }));
    programs.set(key, program);
  }
  return program;
}

/** The filter's verdict on a call. */
export function judge(
  machine: Machine,
  settings: readonly string[],
  number: number,
  args: readonly (number | bigint)[],
) {
  const { architecture } = MACHINES[machine];
  return run(filter(machine, settings), encode({ architecture, number, args }));
}
