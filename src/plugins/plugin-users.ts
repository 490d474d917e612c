import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { BackworksConfig, UserRange } from '../config/types.js';
import { BackworksError } from '../errors.js';
import type { ProcessUser } from '../native/plugin.js';

/** The user `nobody`. Plugins share this user where they cannot have their own. */
const NOBODY = 65534;
/**
 * The range for user namespaces with only 65536 users, as in most rootless containers. Neither distributions nor
 * systemd assign these ids.
 */
const SMALL_NAMESPACE_RANGE: UserRange = { first: 60706, count: 478 };

/** Ranges of user ids that exist in the server's user namespace, both ends inclusive. */
type Mapped = readonly (readonly [first: number, last: number])[];

export interface PluginUsers {
  /**
   * The user that runs a plugin; null if the server does not run as root and cannot choose. The same name gets the
   * same user at each start, so that the plugin's files keep their owner. Only a hash collision changes the user.
   * @throws BackworksError BW_PLUGIN_SANDBOX when no user in the range is free
   */
  of(plugin: string): ProcessUser | null;
}

/**
 * @param known names that get their users first, independent of the order of of() calls
 * @param mapped the existing users; null if the server cannot choose among them
 */
export function pluginUsers(
  range: UserRange,
  known: readonly string[] = [],
  mapped: Mapped | null = usersHere(),
): PluginUsers {
  if (mapped === null) return { of: () => null };
  const usable = largestPart(range, mapped) ?? largestPart(SMALL_NAMESPACE_RANGE, mapped);
  if (range.count === 0 || usable === null) {
    const reason = "the server's user namespace contains no user of server.plugin_users";
    const shared = { id: NOBODY, isOwn: false, missing: range.count === 0 ? null : reason };
    return { of: () => shared };
  }
  const users = new UserAllocation(usable);
  for (const plugin of [...known].sort()) users.of(plugin);
  return users;
}

/** The users for the plugins of a configuration. */
export function usersOf({ server, plugins }: BackworksConfig): PluginUsers {
  return pluginUsers(
    server.pluginUsers,
    plugins.map(({ name }) => name),
  );
}

/** Gives each name an id that is derived from the name, or the next free id. */
class UserAllocation implements PluginUsers {
  private readonly byName = new Map<string, ProcessUser>();
  private readonly taken = new Set<number>();

  constructor(private readonly range: UserRange) {}

  of(plugin: string): ProcessUser {
    const known = this.byName.get(plugin);
    if (known !== undefined) return known;
    const user = { id: this.free(plugin), isOwn: true, missing: null };
    this.taken.add(user.id);
    this.byName.set(plugin, user);
    return user;
  }

  private free(plugin: string): number {
    const { first, count } = this.range;
    if (this.taken.size >= count) {
      const message = `plugin ${plugin} cannot have a user of its own: all ${count} of server.plugin_users are taken`;
      throw new BackworksError('BW_PLUGIN_SANDBOX', message, { hint: 'raise server.plugin_users.count' });
    }
    let offset = createHash('sha256').update(plugin).digest().readUIntBE(0, 6) % count;
    while (this.taken.has(first + offset)) offset = (offset + 1) % count;
    return first + offset;
  }
}

/** Ids that exist as user and as group, because a plugin's group has the id of its user; null unless root. */
function usersHere(): Mapped | null {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return null;
  try {
    const users = parseIdMap(readFileSync('/proc/self/uid_map', 'utf8'));
    const groups = parseIdMap(readFileSync('/proc/self/gid_map', 'utf8'));
    return users.flatMap(([first, last]) =>
      groups
        .map(([from, to]) => [Math.max(first, from), Math.min(last, to)] as const)
        .filter(([from, to]) => from <= to),
    );
  } catch {
    // A kernel without user namespaces has all users.
    return [[0, 2 ** 32 - 2]];
  }
}

/** Parses the lines of user_namespaces(7): first id inside, first id outside, count. */
function parseIdMap(text: string): Mapped {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter((fields) => fields.length === 3)
    .map(([inside = 0, , count = 0]) => [inside, inside + count - 1]);
}

/** The largest part of a range whose users exist, or null. */
function largestPart({ first, count }: UserRange, mapped: Mapped): UserRange | null {
  const parts = mapped
    .map(([from, to]) => [Math.max(first, from), Math.min(first + count - 1, to)] as const)
    .filter(([from, to]) => from <= to)
    .sort(([a, b], [c, d]) => d - c - (b - a));
  const [best] = parts;
  return best === undefined ? null : { first: best[0], count: best[1] - best[0] + 1 };
}
