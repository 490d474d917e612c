import { type RefusedPermission, type Refusal } from '../plugin.js';
import { FrameError } from '../protocol/frames.js';
import { oneLine } from '../../printable.js';
import { Permission } from '../protocol/protocol.js';

const PERMISSIONS: Readonly<Record<number, RefusedPermission>> = {
  [Permission.NEVER]: null,
  [Permission.FILESYSTEM_READ]: 'filesystem.read',
  [Permission.FILESYSTEM_WRITE]: 'filesystem.write',
  [Permission.NETWORK_CONNECT]: 'network.connect',
  [Permission.NETWORK_LISTEN]: 'network.listen',
  [Permission.NETWORK_UDP]: 'network.udp',
};

/**
 * Reads a REFUSED frame.
 * @throws FrameError when the frame is malformed
 */
export function readRefusal(permission: number, times: number, payload: Buffer): Refusal {
  const texts = payload.toString().split('\0');
  const [name, object] = texts;
  const known = PERMISSIONS[permission];
  if (known === undefined || texts.length !== 3 || !name || times < 1)
    throw new FrameError('malformed REFUSED frame');
  return { permission: known, function: oneLine(name), object: object ? oneLine(object) : null, times };
}
