import { randomUUID } from 'node:crypto';
import { constants, copyFile, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BackworksError } from '../../errors.js';

const BACKUPS_MAX = 100;

/**
 * Replaces a file atomically, so that no reader sees a half-written file, and keeps a copy of the old file
 * beside it. A symbolic link stays a link. The mode is kept, and so is the owner where the system permits it.
 * @param mark suffix of the copy's name, before `.bak`
 * @returns the path of the copy
 * @throws BackworksError BW_CONFIG_NOT_FOUND when the file cannot be written; the file is then unchanged
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

/** Never overwrites an earlier copy. */
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
