import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Delegation, delegationAt, RUNNER_GROUP_PREFIX } from './cgroup-delegation.js';
import { ownCgroup } from './cgroup-path.js';

/**
 * Added to limits.memory, which counts private memory only. It covers page tables, kernel stacks of
 * threads, and the pages of the library's file that this group was the first to touch.
 */
const ALLOWANCE_BYTES = 16 * 1024 ** 2;

/** A cgroup v2 for one process, in which the kernel enforces limits of memory and threads. */
export interface MemoryCgroup {
  readonly maxBytes: number;
  /** Whether the kernel ended a process of the group because memory ran out. */
  ranOutOfMemory(): boolean;
  /** Removes it; the process must have ended. */
  remove(): void;
}

let delegation: Delegation | null = null;
let groups = 0;

/** Finds out, once, whether the system lets this server create cgroups. */
export function cgroupDelegation(): Delegation {
  return (delegation ??= process.platform === 'linux' ? delegate() : { missing: 'not a Linux system' });
}

/**
 * Moves a process into a group with this memory limit. Returns null where there are no cgroups, which is no
 * error.
 * @param threads limit of threads, where the system counts them; 0: unlimited
 */
export function memoryCgroup(memoryBytes: number, threads: number, pid: number): MemoryCgroup | null {
  const found = cgroupDelegation();
  if (memoryBytes === 0 || 'missing' in found) return null;
  const directory = join(found.directory, `${RUNNER_GROUP_PREFIX}${process.pid}-${(groups += 1)}`);
  try {
    mkdirSync(directory);
    const set = (file: string, value: number): void => writeFileSync(join(directory, file), String(value));
    const maxBytes = memoryBytes + ALLOWANCE_BYTES;
    set('memory.max', maxBytes);
    set('memory.oom.group', 1);
    // A kernel without swap accounting has no such file and no swap to limit.
    tried(() => set('memory.swap.max', 0));
    if (threads > 0) tried(() => set('pids.max', threads));
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

function delegate(): Delegation {
  const place = tried(() =>
    ownCgroup(readFileSync('/proc/self/cgroup', 'utf8'), readFileSync('/proc/self/mountinfo', 'utf8')),
  );
  return place === null ? { missing: 'no cgroup v2 file system' } : delegationAt(place);
}

function oomKills(file: string): number {
  const events = tried(() => readFileSync(file, 'utf8')) ?? '';
  return Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0);
}

function tried<T>(act: () => T): T | null {
  try {
    return act();
  } catch {
    return null;
  }
}
