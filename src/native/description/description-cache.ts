import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CrashFrame } from '../../errors.js';
import { openCacheDirectory } from '../cache-directory.js';
import { fileState } from '../library/file-state.js';

/** A cached result: the description that the runner printed, or the signal of its crash. */
export type Remembered = { readonly description: unknown } | LoadCrash;

/** How a library crashed while it was being loaded. */
export interface LoadCrash {
  readonly signal: NodeJS.Signals;
  readonly stderrTail: readonly string[];
  readonly at: string | null;
  readonly backtrace: readonly CrashFrame[];
}

/** Raised when the meaning of stored entries changes, so that old entries are no longer found. */
const ENTRY_VERSION = 2;

/**
 * Identifies the present state of two files by device, inode, size and times, and that of the libraries that the
 * library needs. Any change changes the key.
 * @param dependencies see Dependencies.digest
 */
export async function descriptionKey(library: string, runner: string, dependencies: string): Promise<string> {
  const identity = await Promise.all(
    [library, runner].map(async (path) => fileState(await stat(path, { bigint: true }))),
  );
  return createHash('sha256')
    .update([ENTRY_VERSION, ...identity, dependencies].join(' ').trimEnd())
    .digest('hex');
}

/** Descriptions on disk. Because this is only a cache, an entry that cannot be read or written is no error. */
export class DescriptionCache {
  private constructor(private readonly directory: string) {}

  /** @throws BackworksError BW_LIBRARY_STORE when a given directory cannot be made private */
  static async open(directory?: string): Promise<DescriptionCache> {
    return new DescriptionCache(join(await openCacheDirectory(directory), 'descriptions'));
  }

  async read(key: string): Promise<Remembered | null> {
    try {
      const entry: unknown = JSON.parse(await readFile(this.file(key), 'utf8'));
      return isRemembered(entry) ? entry : null;
    } catch {
      return null;
    }
  }

  async write(key: string, entry: Remembered): Promise<void> {
    const draft = join(this.directory, `.${randomUUID()}`);
    try {
      await mkdir(this.directory, { recursive: true, mode: 0o700 });
      await writeFile(draft, JSON.stringify(entry), { mode: 0o600, flag: 'wx' });
      await rename(draft, this.file(key));
    } catch {
      await rm(draft, { force: true }).catch(() => undefined);
    }
  }

  private file(key: string): string {
    return join(this.directory, `${key}.json`);
  }
}

function isRemembered(entry: unknown): entry is Remembered {
  if (typeof entry !== 'object' || entry === null) return false;
  if ('description' in entry) return true;
  return (
    'signal' in entry &&
    typeof entry.signal === 'string' &&
    'stderrTail' in entry &&
    Array.isArray(entry.stderrTail) &&
    'backtrace' in entry &&
    Array.isArray(entry.backtrace)
  );
}
