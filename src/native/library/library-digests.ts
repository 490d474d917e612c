import { type BigIntStats, constants } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { fileState, isSettled } from './file-state.js';
import { LIMITS } from './facts/facts.js';
import { digestOf } from './library-digest.js';

interface Known {
  readonly state: string;
  readonly digest: string | null;
}

/** How every ELF file begins. */
const ELF = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);

/** Digests of libraries. A file is read again only when its identity, size or times have changed. */
export class LibraryDigests {
  private readonly known = new Map<string, Known>();

  /** SHA-256 in hexadecimal; null when the file cannot be read. */
  async read(path: string): Promise<string | null> {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => null);
    if (file === null) return null;
    try {
      return await this.readFrom(file, path);
    } catch {
      return null;
    } finally {
      await file.close();
    }
  }

  /** The same for an open file with this path; null when it is not a regular file. */
  async readFrom(file: FileHandle, path: string): Promise<string | null> {
    const facts = await file.stat({ bigint: true });
    if (!facts.isFile()) return null;
    const state = fileState(facts);
    const known = this.known.get(path);
    if (known?.state === state) return known.digest;
    const digest = await digestOf(file);
    if (isSettled(facts)) this.known.set(path, { state, digest });
    return digest;
  }

  /**
   * Identifies a file that the loader may take for a needed library; null when there is no library. A file that is
   * larger than a library may be is identified by its state.
   */
  async readNeeded(path: string): Promise<string | null> {
    const facts = await stat(path, { bigint: true }).catch(() => null);
    if (facts?.isFile() !== true) return null;
    const known = this.known.get(path);
    if (known?.state === fileState(facts)) return known.digest;
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => null);
    if (file === null) return null;
    try {
      const opened = await file.stat({ bigint: true });
      const digest = await identify(file, opened);
      if (isSettled(opened)) this.known.set(path, { state: fileState(opened), digest });
      return digest;
    } catch {
      return null;
    } finally {
      await file.close();
    }
  }
}

async function identify(file: FileHandle, facts: BigIntStats): Promise<string | null> {
  const start = Buffer.alloc(ELF.length);
  await file.read(start, 0, start.length, 0);
  if (!start.equals(ELF)) return null;
  if (facts.size > LIMITS.fileBytes) return fileState(facts);
  return digestOf(file);
}
