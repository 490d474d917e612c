import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { digestOf } from './library-digest.js';

/** A file that changed this recently may change again without its times telling. */
const SETTLED_AFTER_MS = 2000;

interface Known {
  readonly identity: string;
  readonly digest: string;
}

/** Digests of libraries, read again only when a file's identity or times say that it may be another. */
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

  private async readFrom(file: FileHandle, path: string): Promise<string | null> {
    const facts = await file.stat({ bigint: true });
    if (!facts.isFile()) return null;
    const { dev, ino, size, mtimeNs, ctimeNs, ctimeMs } = facts;
    const identity = [dev, ino, size, mtimeNs, ctimeNs].join(':');
    const known = this.known.get(path);
    if (known?.identity === identity) return known.digest;
    const digest = await digestOf(file);
    if (Date.now() - Number(ctimeMs) > SETTLED_AFTER_MS) this.known.set(path, { identity, digest });
    return digest;
  }
}
