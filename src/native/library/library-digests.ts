import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { fileState, isSettled } from './file-state.js';
import { digestOf } from './library-digest.js';

interface Known {
  readonly state: string;
  readonly digest: string;
}

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
}
