import koffi from 'koffi';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CgroupPlace } from './cgroup-path.js';

/** Prefix of runner cgroups; the server's pid and a number follow. */
export const RUNNER_GROUP_PREFIX = 'backworks-runner-';
const RUNNER_GROUP = new RegExp(`^${RUNNER_GROUP_PREFIX}(\\d+)-\\d+$`);
/** The server's own leaf group: a group with controllers for its children must not contain processes. */
const SERVER_GROUP = 'backworks-server';

/** The directory for the groups of runners, or why there is none. */
export type Delegation = { readonly directory: string } | { readonly missing: string };

/**
 * Finds and prepares the group in which this server may create groups. This is the parent group, when it was
 * delegated with the server in a leaf (DelegateSubgroup= of systemd). Otherwise it is the server's own
 * group, which the server then leaves for a new leaf.
 */
export function delegationAt({ directory, parent }: CgroupPlace): Delegation {
  try {
    if (parent !== null && isDelegated(parent) && !isMarked(directory)) return prepared(parent);
    if (process.getuid?.() === 0 && !isMarked(directory)) return { missing: `${directory} is not delegated` };
    return prepared(directory, () => leave(directory));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { missing: `${directory} is not delegated: ${why}` };
  }
}

/** @param vacate makes sure that the group contains no process */
function prepared(directory: string, vacate: () => string | null = () => null): Delegation {
  if (!words(directory, 'cgroup.controllers').includes('memory'))
    return { missing: `${directory} has no memory controller` };
  const occupied = vacate();
  if (occupied !== null) return { missing: occupied };
  removeLeftovers(directory);
  const given = words(directory, 'cgroup.subtree_control');
  const wanted = ['memory', 'pids'].filter((name) => words(directory, 'cgroup.controllers').includes(name));
  const added = wanted.filter((name) => !given.includes(name)).map((name) => `+${name}`);
  if (added.length > 0) writeFileSync(join(directory, 'cgroup.subtree_control'), added.join(' '));
  return { directory };
}

/** Moves the server into a leaf if no other process is in the group; otherwise returns why not. */
function leave(directory: string): string | null {
  const others = words(directory, 'cgroup.procs').filter((pid) => pid !== String(process.pid));
  if (others.length > 0) return `${directory} is shared with other processes`;
  const server = join(directory, SERVER_GROUP);
  mkdirSync(server, { recursive: true });
  writeFileSync(join(server, 'cgroup.procs'), String(process.pid));
  return null;
}

/** Whether the group is delegated to this user. For root every group is writable, so only a mark counts. */
function isDelegated(directory: string): boolean {
  return isMarked(directory) || (process.getuid?.() !== 0 && statSync(directory).uid === process.getuid?.());
}

/** systemd marks the groups it delegates (Delegate=yes). */
function isMarked(directory: string): boolean {
  const getxattr = koffi.load(null).func('getxattr', 'long', ['str', 'str', 'void *', 'size_t']);
  const value = Buffer.alloc(1);
  const marks = ['trusted.delegate', 'user.delegate'];
  return marks.some((mark) => getxattr(directory, mark, value, 1) === 1 && value.toString() === '1');
}

/** Removes the groups of servers that have ended; the kernel refuses to remove a group with processes. */
function removeLeftovers(directory: string): void {
  for (const name of readdirSync(directory)) {
    const pid = RUNNER_GROUP.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    try {
      rmdirSync(join(directory, name));
    } catch {
      // It has processes, or belongs to another user.
    }
  }
}

/** Another server may be about to use a group that is still empty. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function words(directory: string, file: string): string[] {
  return readFileSync(join(directory, file), 'utf8').split(/\s+/).filter(Boolean);
}
