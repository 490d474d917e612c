import type { LibraryDescription } from '../plugin.js';
import { readFunctionBits } from '../protocol/protocol.js';

/**
 * Reads a library's description from a LOADED frame.
 * @param value function and flag bits
 * @param text name, version, description and manifest
 */
export function loadedFrame(value: number, text: string): LibraryDescription {
  const [name = '', version = '', description = '', manifest = ''] = text.split('\0', 4);
  const { functions, threadSafe } = readFunctionBits(value);
  const hasManifest = functions.has('manifest') && manifest !== '';
  return { name, version, description, manifest: hasManifest ? manifest : null, functions, threadSafe };
}
