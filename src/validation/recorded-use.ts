import { posix } from 'node:path';
import type { RefusedPermission } from '../native/plugin.js';
import { isBelow } from '../plugins/permissions.js';
import { type SystemCall, textsOf } from './system-call-trace.js';

/** A file that the plugin opened or changed, or tried to. */
export interface UsedFile {
  readonly path: string;
  readonly access: 'read' | 'write' | 'execute';
  readonly result: UseResult;
}

/** A connection, a port or a socket of the plugin. */
export interface UsedSocket {
  /** "connect", "bind", "sendto" or "socket". */
  readonly call: string;
  /** Such as "inet 192.0.2.1:443", "unix /run/x.sock" or "inet dgram". */
  readonly address: string;
  readonly permission: RefusedPermission;
  readonly result: UseResult;
}

/** What came of a request to the system: it was done, the sandbox refused it, or it failed for another reason. */
export type UseResult = 'done' | 'refused' | 'failed';

/** What a plugin asked the system for after it had been loaded. */
export interface RecordedUse {
  /** Names of system calls, without those that every process makes; sorted. */
  readonly calls: readonly string[];
  readonly files: readonly UsedFile[];
  readonly sockets: readonly UsedSocket[];
}

/**
 * Calls that say nothing about a plugin: memory, threads, time, signals, and bytes through descriptors that are open.
 * How often and whether they come depends on the moment.
 */
const ORDINARY: ReadonlySet<string> = new Set(
  `arch_prctl brk clock_getres clock_gettime clock_nanosleep close epoll_pwait epoll_pwait2 epoll_wait exit exit_group futex
  getpid getppid gettid gettimeofday lseek madvise membarrier mincore mmap mprotect mremap munmap nanosleep poll ppoll
  pread64 preadv pselect6 pwrite64 pwritev read readv restart_syscall rseq rt_sigaction rt_sigprocmask rt_sigreturn
  rt_sigtimedwait sched_getaffinity sched_yield select set_robust_list set_tid_address sigaltstack tgkill time times write
  writev`.split(/\s+/),
);
const OPENS: ReadonlySet<string> = new Set(['open', 'openat', 'openat2', 'creat']);
const CHANGES: ReadonlySet<string> = new Set(
  `chmod chown fchmodat fchmodat2 fchownat futimesat lchown link linkat mkdir mkdirat mknod mknodat rename renameat renameat2
  rmdir symlink symlinkat truncate unlink unlinkat utime utimensat utimes`.split(/\s+/),
);
const STARTS: ReadonlySet<string> = new Set(['execve', 'execveat']);
const SOCKETS: ReadonlySet<string> = new Set(['bind', 'connect', 'sendto', 'socket']);
const REFUSED: ReadonlySet<string> = new Set(['EACCES', 'EPERM']);
const FOR_WRITING = /\bO_(?:WRONLY|RDWR|CREAT|TRUNC|APPEND)\b/;
/**
 * Files that C libraries and runtimes look at on their own, to count processors and to set up memory. They do without
 * these files, so a refusal says nothing about the plugin.
 */
const OF_RUNTIMES: readonly string[] = [
  '/proc/cpuinfo',
  '/proc/meminfo',
  '/proc/self/cgroup',
  '/proc/self/maps',
  '/proc/self/mountinfo',
  '/proc/stat',
  '/proc/sys/vm/overcommit_memory',
  '/sys/devices/system/cpu/online',
  '/sys/devices/system/cpu/possible',
  '/sys/fs/cgroup',
  '/sys/kernel/mm/transparent_hugepage',
];
/** Things of one kind that are told. Random input may name a file in each call. */
const TOLD_MAX = 100;

/** @param calls of one plugin, see readTrace() */
export function usedBy(calls: readonly SystemCall[]): RecordedUse {
  const own = calls.filter((call) => !isOfRuntimes(call));
  return {
    calls: [...new Set(own.filter(isTelling).map(({ name }) => name))].sort(),
    files: distinct(own.flatMap(filesOf)),
    sockets: distinct(own.flatMap((call) => socketOf(call) ?? [])),
  };
}

function isTelling({ name, args }: SystemCall): boolean {
  if (ORDINARY.has(name)) return false;
  if (name === 'clone' || name === 'clone3') return !args.includes('CLONE_THREAD');
  // The runner reads the limits of its process before each call.
  return name !== 'prlimit64' || !args.includes(', NULL, ');
}

function filesOf(call: SystemCall): UsedFile[] {
  const { name, args } = call;
  const access = accessOf(call);
  if (access === null) return [];
  const texts = STARTS.has(name) ? textsOf(args).slice(0, 1) : textsOf(args);
  const directories = [...args.matchAll(/(?:AT_FDCWD|\b\d+)<([^>]*)>, "/g)].map(([, path = '']) => path);
  return texts
    .filter((text) => text !== '')
    .map((text, index) => ({
      path: sameForEachProcess(posix.resolve('/', directories[index] ?? '', utf8(text))),
      access,
      result: resultOf(call),
    }));
}

function isOfRuntimes(call: SystemCall): boolean {
  const files = OPENS.has(call.name) ? filesOf(call) : [];
  return (
    files.length > 0 && files.every(({ path, access }) => access === 'read' && isBelow(path, OF_RUNTIMES))
  );
}

function accessOf({ name, args }: SystemCall): UsedFile['access'] | null {
  if (STARTS.has(name)) return 'execute';
  if (CHANGES.has(name) || name === 'creat') return 'write';
  if (!OPENS.has(name)) return null;
  return FOR_WRITING.test(args) ? 'write' : 'read';
}

function socketOf(call: SystemCall): UsedSocket | null {
  const { name, args } = call;
  if (!SOCKETS.has(name)) return null;
  const address = name === 'socket' ? newSocket(args) : peerOf(args);
  if (address === null) return null;
  return { call: name, address, permission: permissionOf(name, address), result: resultOf(call) };
}

function newSocket(args: string): string | null {
  const [, family = '', type = ''] = /^(?:AF|PF)_(\w+), SOCK_(\w+)/.exec(args) ?? [];
  return family === '' ? null : `${family} ${type}`.toLowerCase();
}

function peerOf(args: string): string | null {
  const family = /sa_family=AF_(\w+)/.exec(args)?.[1]?.toLowerCase();
  if (family === undefined) return null;
  const port = /port=htons\((\d+)\)/.exec(args)?.[1];
  const place = /(?:inet_addr\(|inet_pton\(AF_INET6, |sun_path=@?)"([^"]*)"/.exec(args)?.[1] ?? '';
  return `${family} ${place}${port === undefined ? '' : `:${port}`}`;
}

function permissionOf(call: string, address: string): RefusedPermission {
  if (!address.startsWith('inet')) return null;
  if (call === 'sendto' || address.endsWith(' dgram')) return 'network.udp';
  return call === 'bind' ? 'network.listen' : 'network.connect';
}

function resultOf({ error }: SystemCall): UseResult {
  if (error === null || error === 'EINPROGRESS') return 'done';
  return REFUSED.has(error) ? 'refused' : 'failed';
}

/** Each thing once, in order. */
function distinct<T extends object>(things: readonly T[]): T[] {
  const known = new Map(things.map((thing) => [JSON.stringify(thing), thing]));
  return [...known]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .slice(0, TOLD_MAX)
    .map(([, thing]) => thing);
}

/** Numbers of processes differ from one validation to the next. */
function sameForEachProcess(path: string): string {
  return path.replace(/^\/proc\/(?:\d+|self)(?:\/task\/\d+)?/, '/proc/self');
}

function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
