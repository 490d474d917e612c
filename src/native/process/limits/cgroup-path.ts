import { posix } from 'node:path';

/** Names systemd gives its units; what lies above one of them is systemd's. */
const UNIT = /\.(?:service|scope|slice|socket|mount|swap)$/;

/** Where a process is in the tree of cgroups. */
export interface CgroupPlace {
  readonly directory: string;
  /** The group above, which may have been left to whoever put the process here; null when it cannot have been. */
  readonly parent: string | null;
}

/**
 * The place of this process in cgroup v2 (cgroups(7)); null when it has none or cannot see it.
 * @param cgroup text of /proc/self/cgroup: the line of version 2 begins with `0::`
 * @param mountinfo text of /proc/self/mountinfo (proc(5)): fields, ` - `, the type of the file system
 */
export function ownCgroup(cgroup: string, mountinfo: string): CgroupPlace | null {
  const path = /^0::(\/.*)$/m.exec(cgroup)?.[1];
  // Outside of its namespace a path begins with `..`, as a name may too.
  if (path === undefined || /^\/\.\.(?:\/|$)/.test(path)) return null;
  for (const line of mountinfo.split('\n')) {
    const [mount = '', kind = ''] = line.split(' - ', 2);
    if (!kind.startsWith('cgroup2 ')) continue;
    const [, , , root = '', point = ''] = mount.split(' ').map(unescaped);
    // A container sees a part of the tree: what lies outside of it is not there for this process.
    const inside = posix.relative(root, path);
    if (root === '' || inside === '..' || inside.startsWith('../')) continue;
    const directory = posix.join(point, inside);
    // In its own namespace a process may be at the top of what it sees.
    const below = inside !== '' && !UNIT.test(inside);
    return { directory, parent: below ? posix.dirname(directory) : null };
  }
  return null;
}

/** Blanks, tabs, line ends and backslashes are written as `\` and three octal digits. */
function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
