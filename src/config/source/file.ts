import { open, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { BackworksError } from '../../errors.js';
import { decode } from './encoding.js';

const FILE_NAMES = ['backworks.yaml', 'backworks.yml'] as const;

/** Longest configuration file. */
export const FILE_BYTES_MAX = 1024 * 1024;

/**
 * Finds the configuration file of a directory: backworks.yaml, else backworks.yml.
 * @throws BackworksError BW_CONFIG_NOT_FOUND naming the paths tried.
 */
export async function findConfigFile(directory: string): Promise<string> {
  const candidates = FILE_NAMES.map((name) => resolve(directory, name));
  for (const candidate of candidates) {
    if (await exists(candidate)) return candidate;
  }
  throw new BackworksError('BW_CONFIG_NOT_FOUND', `neither ${candidates.join(' nor ')} exists`, {
    hint: 'create one, or name the file to use',
  });
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    // Other errors, such as a directory without permission, are reported when the file is read.
    return !isMissing(error);
  }
}

/**
 * Reads a file up to one byte above the size limit, so that the parser rejects a longer file.
 * @throws BackworksError BW_CONFIG_NOT_FOUND when the file cannot be read. @throws ConfigError when the file
 * is not UTF-8.
 */
export async function readText(path: string): Promise<string> {
  const bytes = await readBytes(path);
  return bytes.length > FILE_BYTES_MAX ? bytes.toString('latin1') : decode(bytes, displayName(path));
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    const handle = await open(path);
    try {
      const buffer = Buffer.alloc(FILE_BYTES_MAX + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
        length += bytesRead;
        if (bytesRead === 0 || length === buffer.length) break;
      }
      return buffer.subarray(0, length);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    const reason = isMissing(cause)
      ? 'does not exist'
      : `cannot be read (${String((cause as Error).message)})`;
    throw new BackworksError('BW_CONFIG_NOT_FOUND', `${path} ${reason}`, { cause });
  }
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** A path for messages: relative if the file is inside the working directory. */
export function displayName(path: string): string {
  if (!isAbsolute(path)) return path;
  const short = relative(process.cwd(), path);
  return short === '' || short === '..' || short.startsWith(`..${sep}`) || isAbsolute(short) ? path : short;
}
