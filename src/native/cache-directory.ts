import { chmod, lstat, mkdir, mkdtemp, stat } from 'node:fs/promises';
import { cacheDirectory, temporaryCacheDirectory } from '../cache-place.js';
import { BackworksError } from '../errors.js';

const isRoot = process.getuid?.() === 0;

/**
 * Permissions of directories and of copied libraries. Only the owner may write or list them, because
 * whoever can write there can put code into plugin processes. A server that runs as root starts its
 * runners as another user, which must be able to open the library.
 */
export const DIRECTORY_MODE = isRoot ? 0o711 : 0o700;
export const LIBRARY_MODE = isRoot ? 0o555 : 0o500;

/**
 * Opens the directory for copies of libraries and for cached descriptions.
 * @param directory the directory; default $XDG_CACHE_HOME/backworks, ~/.cache/backworks or, for root,
 *   /var/cache/backworks; a private directory for temporary files when none of these can be used
 * @returns its absolute path
 * @throws BackworksError BW_LIBRARY_STORE when a given directory cannot be made private
 */
export async function openCacheDirectory(directory?: string): Promise<string> {
  if (directory !== undefined) {
    try {
      return await makePrivate(directory);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new BackworksError('BW_LIBRARY_STORE', `${directory} cannot hold copies of libraries: ${why}`, {
        hint: 'give a directory that belongs to the user the server runs as',
        cause,
      });
    }
  }
  try {
    return await makePrivate(cacheDirectory());
  } catch {
    return temporaryDirectory();
  }
}

/** The same directory at every start, unless another user has taken its name. */
async function temporaryDirectory(): Promise<string> {
  const path = temporaryCacheDirectory();
  try {
    return await makePrivate(path, { isShared: true });
  } catch {
    return mkdtemp(`${path}-`);
  }
}

/** @param isShared whether other users can create entries next to it; it must then not be a link of theirs */
async function makePrivate(path: string, { isShared = false } = {}): Promise<string> {
  await mkdir(path, { recursive: true, mode: DIRECTORY_MODE });
  const stats = await (isShared ? lstat(path) : stat(path));
  if (!stats.isDirectory()) throw new Error('it is not a directory');
  if (process.getuid !== undefined && stats.uid !== process.getuid()) {
    throw new Error('it belongs to another user');
  }
  if ((stats.mode & 0o777) !== DIRECTORY_MODE) await chmod(path, DIRECTORY_MODE);
  return path;
}
