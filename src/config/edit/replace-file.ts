import { randomUUID } from 'node:crypto';
import { constants, copyFile, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BackworksError } from '../../errors.js';

const BACKUPS_MAX = 100;

/**
 * Puts a text in the place of a file at once, so that no reader sees half of it, and keeps what was there
 * beside it. A link stays a link; mode and, where it may be given, owner stay.
 * @param mark what the name of the copy ends in, before `.bak`
 * @returns the path of the copy
 * @throws BackworksError BW_CONFIG_NOT_FOUND when it cannot be written; the file is as it was
 */
export async function replaceFile(file: string, text: string, mark: string): Promise<string> {
  let draft: string | null = null;
  try {
    const target = await realpath(file);
    const { mode, uid, gid } = await stat(target);
    const backup = await keepCopy(target, mark);
    draft = join(dirname(target), `.${randomUUID()}.draft`);
    const handle = await open(draft, 'wx', mode & 0o777);
    try {
      await handle.writeFile(text);
      await handle.chmod(mode & 0o7777);
      await handle.chown(uid, gid).catch(() => undefined);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, target);
    return backup;
  } catch (cause) {
    if (draft !== null) await rm(draft, { force: true });
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BackworksError('BW_CONFIG_NOT_FOUND', `${file} cannot be written: ${why}`, { cause });
  }
}

/** An earlier copy is never overwritten. */
async function keepCopy(file: string, mark: string): Promise<string> {
  for (let next = 1; ; next += 1) {
    const copy = `${file}.${mark}${next === 1 ? '' : `.${next}`}.bak`;
    try {
      await copyFile(file, copy, constants.COPYFILE_EXCL);
      return copy;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || next === BACKUPS_MAX) throw error;
    }
  }
}
