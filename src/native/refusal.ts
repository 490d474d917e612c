import { FrameError } from './frames.js';
import { printable } from './plugin-output.js';
import { Permission } from './protocol.js';

/** The permission that would have allowed something; null where none does. */
export type RefusedPermission =
  'filesystem.read' | 'filesystem.write' | 'network.connect' | 'network.listen' | 'network.udp' | null;

/** Something the sandbox has refused a plugin that lives on. Said by the process, not to be trusted. */
export interface Refusal {
  readonly permission: RefusedPermission;
  /** The function or system call that failed, such as "connect". */
  readonly function: string;
  /** The path or port it was about; null when there is none. */
  readonly object: string | null;
  /** How often, since it was last told. */
  readonly times: number;
}

const PERMISSIONS: Readonly<Record<number, RefusedPermission>> = {
  [Permission.NEVER]: null,
  [Permission.FILESYSTEM_READ]: 'filesystem.read',
  [Permission.FILESYSTEM_WRITE]: 'filesystem.write',
  [Permission.NETWORK_CONNECT]: 'network.connect',
  [Permission.NETWORK_LISTEN]: 'network.listen',
  [Permission.NETWORK_UDP]: 'network.udp',
};

/** A process tells of at most 64 different refusals, of each as often as its count has grown fourfold. */
const FRAMES_MAX = 64 * 17;

/** Reads the REFUSED frames of one process. */
export class RefusalReader {
  private frames = 0;

  /** @throws FrameError when the frame says nothing, or there are more than a runner sends. */
  read(permission: number, times: number, payload: Buffer): Refusal {
    this.frames += 1;
    if (this.frames > FRAMES_MAX) throw new FrameError('more REFUSED frames than a runner sends');
    const texts = payload.toString().split('\0');
    const [name, object] = texts;
    const known = PERMISSIONS[permission];
    if (known === undefined || texts.length !== 3 || !name || times < 1)
      throw new FrameError('REFUSED frame that says nothing');
    return { permission: known, function: oneLine(name), object: object ? oneLine(object) : null, times };
  }
}

function oneLine(text: string): string {
  return printable(text).replace(/[\t\n]/g, '\uFFFD');
}
