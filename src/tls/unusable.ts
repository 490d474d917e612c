import type { ConfiguredFile } from '../config/types.js';
import { BackworksError } from '../errors.js';

/** The error for a file that TLS cannot work with. @param what completes the sentence that the path begins */
export function unusable(
  { where, path }: ConfiguredFile,
  what: string,
  hint?: string,
  cause?: unknown,
): BackworksError {
  return new BackworksError('BW_SERVER_TLS', `${where}: ${path}: ${what}`, { hint, cause });
}
