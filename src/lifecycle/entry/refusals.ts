import { isBelow } from '../../plugins/permissions.js';
import type { Permissions } from '../../config/types.js';
import type { Refusal } from '../../native/plugin.js';
import type { KeptRefusal } from './status.js';

const KEPT_MAX = 32;

/** The operations that the sandbox refused a plugin: the newest distinct ones of all its processes. */
export class RefusalList {
  /** In the order of their last occurrence. */
  private readonly kept = new Map<string, KeptRefusal>();

  /** Records a refusal. @returns true if it is new */
  add({ permission, function: name, object, times }: Refusal): boolean {
    const key = JSON.stringify([permission, name, object]);
    const before = this.kept.get(key);
    this.kept.delete(key);
    const total = (before?.times ?? 0) + times;
    this.kept.set(key, { permission, function: name, object, times: total, last: new Date() });
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= KEPT_MAX) break;
      this.kept.delete(oldest);
    }
    return before === undefined;
  }

  /** Newest first. */
  list(): KeptRefusal[] {
    return [...this.kept.values()].reverse();
  }
}

/** The refusal and what the operator can do about it: "weather was refused network.connect 443 (connect); …". */
export function refusalSentence(plugin: string, refusal: Refusal, granted: Permissions): string {
  const { permission, function: name, object } = refusal;
  const about = object === null ? '' : ` ${object}`;
  if (permission === null) return `${plugin} was refused ${name}${about}; no permission allows it`;
  return `${plugin} was refused ${permission}${about} (${name}); ${remedy(refusal, granted)}`;
}

function remedy({ permission, object }: Refusal, { filesystem, network }: Permissions): string {
  const key = `permissions.${permission}`;
  if (permission === 'network.fetch') return `grant ${key}: [${object}] if the plugin needs it`;
  if (permission === 'network.udp') return `grant ${key}: true if the plugin needs it`;
  if (object === null) return `grant the ports that the plugin needs in ${key}`;
  if (permission === 'network.connect' || permission === 'network.listen') {
    const ports = permission === 'network.connect' ? network.connect : network.listen;
    if (!ports.includes(Number(object))) return `grant ${key}: [${object}] if the plugin needs it`;
    return 'the port is granted, so the operating system refused it, not the sandbox';
  }
  const { read, write } = filesystem;
  if (!isBelow(object, permission === 'filesystem.read' ? [...read, ...write] : write))
    return `grant ${key}: [${object}] if the plugin needs it`;
  return 'the path is granted, but it leads outside the grant or the file belongs to another user';
}
