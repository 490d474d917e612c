import koffi from 'koffi';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownCgroup } from './cgroup-path.js';

/** Groups of runner processes; what follows is the server's pid and a number. */
const RUNNER_GROUP = /^backworks-runner-(\d+)-\d+$/;
/** Where the server itself goes: a group with controllers for its children holds no processes. */
const SERVER_GROUP = 'backworks-server';
/**
 * Beyond limits.memory, which counts private memory: the kernel's page tables for it, the stacks of
 * threads in the kernel, and the pages of the library's file this group was the first to touch.
 */
const ALLOWANCE_BYTES = 16 * 1024 ** 2;

/** A cgroup v2 of one process, with a limit of its memory that the kernel keeps at every moment. */
export interface MemoryCgroup {
  readonly maxBytes: number;
  /** Whether the kernel ended a process of it for want of memory. */
  ranOutOfMemory(): boolean;
  /** Removes it; the process must have ended. */
  remove(): void;
}

/** Directory that holds the groups of runners, or why there is none. */
export type Delegation = { readonly directory: string } | { readonly missing: string };

let delegation: Delegation | null = null;
let groups = 0;

/** Finds out once whether the system lets this server have cgroups of its own. */
export function cgroupDelegation(): Delegation {
  return (delegation ??= process.platform === 'linux' ? delegate() : { missing: 'not a Linux system' });
}

/** Moves a process into a group with so much memory; null where there is none, which is no error. */
export function memoryCgroup(memoryBytes: number, pid: number): MemoryCgroup | null {
  const found = cgroupDelegation();
  if (memoryBytes === 0 || 'missing' in found) return null;
  const directory = join(found.directory, `backworks-runner-${process.pid}-${(groups += 1)}`);
  try {
    mkdirSync(directory);
    const set = (file: string, value: number): void => writeFileSync(join(directory, file), String(value));
    const maxBytes = memoryBytes + ALLOWANCE_BYTES;
    set('memory.max', maxBytes);
    set('memory.oom.group', 1);
    // A kernel without swap accounting has no such file, and no swap to limit.
    tried(() => set('memory.swap.max', 0));
    set('cgroup.procs', pid);
    return {
      maxBytes,
      ranOutOfMemory: () => oomKills(join(directory, 'memory.events')) > 0,
      remove: () => void tried(() => rmdirSync(directory)),
    };
  } catch {
    tried(() => rmdirSync(directory));
    return null;
  }
}

/** Takes the server's own group for the server alone, if it is delegated and nobody else is in it. */
function delegate(): Delegation {
  const own = tried(() =>
    ownCgroup(readFileSync('/proc/self/cgroup', 'utf8'), readFileSync('/proc/self/mountinfo', 'utf8')),
  );
  if (!own) return { missing: 'no cgroup v2 file system' };
  try {
    if (!words(own, 'cgroup.controllers').includes('memory'))
      return { missing: `${own} has no memory controller` };
    if (process.getuid?.() === 0 && !isMarked(own)) return { missing: `${own} is not delegated` };
    const others = words(own, 'cgroup.procs').filter((pid) => pid !== String(process.pid));
    if (others.length > 0) return { missing: `${own} is shared with other processes` };
    removeLeftovers(own);
    const server = join(own, SERVER_GROUP);
    tried(() => mkdirSync(server));
    writeFileSync(join(server, 'cgroup.procs'), String(process.pid));
    writeFileSync(join(own, 'cgroup.subtree_control'), '+memory');
    return { directory: own };
  } catch (error) {
    return { missing: `${own} is not delegated: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** For root every group is writable; systemd marks those it leaves to their service (Delegate=yes). */
function isMarked(directory: string): boolean {
  const getxattr = koffi.load(null).func('getxattr', 'long', ['str', 'str', 'void *', 'size_t']);
  const value = Buffer.alloc(1);
  const marks = ['trusted.delegate', 'user.delegate'];
  return marks.some((mark) => getxattr(directory, mark, value, 1) === 1 && value.toString() === '1');
}

/** Groups of servers that are gone; the kernel refuses to remove one that still has processes. */
function removeLeftovers(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (RUNNER_GROUP.test(name)) tried(() => rmdirSync(join(directory, name)));
  }
}

function oomKills(file: string): number {
  const events = tried(() => readFileSync(file, 'utf8')) ?? '';
  return Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0);
}

function words(directory: string, file: string): string[] {
  return readFileSync(join(directory, file), 'utf8').split(/\s+/).filter(Boolean);
}

function tried<T>(act: () => T): T | null {
  try {
    return act();
  } catch {
    return null;
  }
}
