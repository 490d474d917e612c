import { posix } from 'node:path';

/**
 * The directory of this process's cgroup v2 (cgroups(7)); null when it has none or cannot see it.
 * @param cgroup text of /proc/self/cgroup: the line of version 2 begins with `0::`
 * @param mountinfo text of /proc/self/mountinfo (proc(5)): fields, ` - `, the type of the file system
 */
export function ownCgroup(cgroup: string, mountinfo: string): string | null {
  const path = /^0::(\/.*)$/m.exec(cgroup)?.[1];
  if (path === undefined || path.startsWith('/..')) return null;
  for (const line of mountinfo.split('\n')) {
    const [mount = '', kind = ''] = line.split(' - ', 2);
    if (!kind.startsWith('cgroup2 ')) continue;
    const [, , , root = '', point = ''] = mount.split(' ').map(unescaped);
    // A container sees a part of the tree: what lies outside of it is not there for this process.
    const inside = posix.relative(root, path);
    if (root !== '' && inside !== '..' && !inside.startsWith('../')) return posix.join(point, inside);
  }
  return null;
}

/** Blanks, tabs, line ends and backslashes are written as `\` and three octal digits. */
function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
