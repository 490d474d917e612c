import { open } from 'node:fs/promises';
import type { ConfiguredFile } from '../config/types.js';
import { unusable } from './unusable.js';

const BYTES_MAX = 1024 ** 2;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a directory',
};

/** Reads a PEM file of at most 1 MiB. @throws BackworksError BW_SERVER_TLS */
export async function readPem(file: ConfiguredFile): Promise<string> {
  let text: string;
  try {
    text = await readSome(file.path);
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw unusable(file, `cannot be read: ${REASONS[code] ?? code}`, undefined, error);
  }
  if (text.length > BYTES_MAX) throw unusable(file, 'is longer than 1 MiB');
  return text;
}

/** A device that never ends must not be read to its end. @returns at most one byte more than allowed */
async function readSome(path: string): Promise<string> {
  const handle = await open(path);
  try {
    const buffer = Buffer.alloc(BYTES_MAX + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null);
      length += bytesRead;
      if (bytesRead === 0 || length === buffer.length) return buffer.toString('latin1', 0, length);
    }
  } finally {
    await handle.close();
  }
}
