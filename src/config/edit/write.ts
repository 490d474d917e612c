import { randomUUID } from 'node:crypto';
import { chmod, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { BackworksError } from '../../errors.js';

/**
 * Replaces the text of a file atomically: a reader sees either the old or the new text. A symbolic link stays
 * a link.
 * @throws BackworksError BW_CONFIG_WRITE when the file cannot be written
 */
export async function writeText(file: string, text: string): Promise<void> {
  try {
    const target = await realpath(file);
    const draft = `${target}.${randomUUID()}`;
    try {
      await writeFile(draft, text, { flag: 'wx' });
      await chmod(draft, (await stat(target)).mode & 0o7777);
      await rename(draft, target);
    } finally {
      await rm(draft, { force: true });
    }
  } catch (cause) {
    const message = `${file} cannot be written: ${(cause as Error).message}`;
    throw new BackworksError('BW_CONFIG_WRITE', message, { cause });
  }
}
