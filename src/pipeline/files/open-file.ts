import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { BackworksError } from '../../errors.js';
import type { FilesTarget } from '../../config/types.js';

/** Files that one server process holds open at the same time. Slow clients keep long files open. */
const OPEN_FILES_MAX = 1000;
const RETRY_AFTER_MS = 1000;

/** Errors of a path that leads to nothing that can be read as a file. ENXIO: a socket. */
const MISSING: ReadonlySet<string> = new Set([
  'ENOENT',
  'ENOTDIR',
  'ENAMETOOLONG',
  'ELOOP',
  'ENXIO',
  'EINVAL',
]);

let openFiles = 0;

/** A regular file that is open for reading. Whoever holds it must close it. */
export class OpenFile {
  private isClosed = false;

  private constructor(
    private readonly handle: FileHandle,
    /** Below the directory, for messages. */
    private readonly name: string,
    readonly sizeBytes: number,
    /** Whole seconds, as headers carry it. */
    readonly modifiedMs: number,
    /** An entity tag that changes when the file is replaced or written. */
    readonly etag: string,
  ) {}

  /**
   * Opens a file of a directory.
   * @param names checked names below the directory
   * @returns `directory` when the path leads to one; null when it leads to nothing that is served
   * @throws BackworksError BW_FILE_READ when the file cannot be read, or too many files are open
   */
  static async open(
    files: Pick<FilesTarget, 'directory' | 'symlinks'>,
    names: readonly string[],
  ): Promise<OpenFile | 'directory' | null> {
    if (openFiles >= OPEN_FILES_MAX)
      throw new BackworksError('BW_FILE_READ', `${OPEN_FILES_MAX} files are being sent already`, {
        retryAfterMs: RETRY_AFTER_MS,
      });
    openFiles += 1;
    let file: OpenFile | 'directory' | null = null;
    try {
      file = await openedFile(files, names.join(sep));
    } catch (error) {
      if (!MISSING.has(codeOf(error))) throw unreadable(names.join(sep), error);
    } finally {
      if (!(file instanceof OpenFile)) openFiles -= 1;
    }
    return file;
  }

  /** @throws Error of the file system. Closes the handle unless it is of a regular file. */
  static async of(handle: FileHandle, name: string): Promise<OpenFile | 'directory' | null> {
    let file: OpenFile | null = null;
    try {
      const stat = await handle.stat({ bigint: true });
      if (!stat.isFile()) return stat.isDirectory() ? 'directory' : null;
      const modifiedMs = Number(stat.mtimeMs / 1000n) * 1000;
      const etag = `"${stat.mtimeNs.toString(36)}-${stat.size.toString(36)}"`;
      file = new OpenFile(handle, name, Number(stat.size), modifiedMs, etag);
      return file;
    } finally {
      if (file === null) await handle.close();
    }
  }

  /**
   * Reads up to `length` bytes; fewer at the end of the file.
   * @throws BackworksError BW_FILE_READ
   */
  async read(position: number, length: number): Promise<Buffer> {
    // A buffer of its own for each read: the socket may still hold the one before.
    const buffer = Buffer.allocUnsafeSlow(length);
    try {
      const { bytesRead } = await this.handle.read(buffer, 0, length, position);
      return buffer.subarray(0, bytesRead);
    } catch (error) {
      throw unreadable(this.name, error);
    }
  }

  /** The error of a file that ends before its announced length. */
  shortened(): BackworksError {
    return new BackworksError('BW_FILE_READ', `${this.name} became shorter while it was read`);
  }

  /** Idempotent. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    try {
      await this.handle.close();
    } finally {
      openFiles -= 1;
    }
  }
}

async function openedFile(
  { directory, symlinks }: Pick<FilesTarget, 'directory' | 'symlinks'>,
  name: string,
): Promise<OpenFile | 'directory' | null> {
  const path = join(directory, name);
  // Without O_NONBLOCK, opening a named pipe would keep a thread waiting until somebody writes to the pipe.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
  if (symlinks === 'follow') return OpenFile.of(await open(path, flags), name);
  // The directory itself may be a link, which a deployment switches from one release to the next.
  const [root, real] = await Promise.all([realpath(directory), realpath(path)]);
  if (real !== root && !real.startsWith(root.endsWith(sep) ? root : root + sep)) return null;
  return OpenFile.of(await open(real, flags | constants.O_NOFOLLOW), name);
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error';
}

function unreadable(what: string, cause: unknown): BackworksError {
  return new BackworksError('BW_FILE_READ', `${what} cannot be read (${codeOf(cause)})`, { cause });
}
