import { posix } from 'node:path';

/** Names systemd gives its units; the groups above a unit belong to systemd. */
const UNIT = /\.(?:service|scope|slice|socket|mount|swap)$/;

/** The position of a process in the tree of cgroups. */
export interface CgroupPlace {
  readonly directory: string;
  /** The parent group, which may be delegated to the server; null when it cannot be. */
  readonly parent: string | null;
}

/**
 * The position of this process in cgroup v2 (cgroups(7)); null when there is none or it is not visible.
 * @param cgroup text of /proc/self/cgroup: the line of version 2 begins with `0::`
 * @param mountinfo text of /proc/self/mountinfo (proc(5)): fields, ` - `, the type of the file system
 */
export function ownCgroup(cgroup: string, mountinfo: string): CgroupPlace | null {
  const path = /^0::(\/.*)$/m.exec(cgroup)?.[1];
  // A path outside of the namespace begins with `/..`; a name may begin with `..`, too.
  if (path === undefined || /^\/\.\.(?:\/|$)/.test(path)) return null;
  for (const line of mountinfo.split('\n')) {
    const [mount = '', kind = ''] = line.split(' - ', 2);
    if (!kind.startsWith('cgroup2 ')) continue;
    const [, , , root = '', point = ''] = mount.split(' ').map(unescaped);
    // A container sees a part of the tree; groups outside of it do not exist for this process.
    const inside = posix.relative(root, path);
    if (root === '' || inside === '..' || inside.startsWith('../')) continue;
    const directory = posix.join(point, inside);
    // In its own namespace a process may be in the topmost visible group.
    const below = inside !== '' && !UNIT.test(inside);
    return { directory, parent: below ? posix.dirname(directory) : null };
  }
  return null;
}

/** In these files, blanks, tabs, line ends and backslashes are written as `\` and three octal digits. */
function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
