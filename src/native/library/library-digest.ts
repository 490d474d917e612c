import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

/** Hashing this much blocks the event loop for a quarter of a millisecond. */
const CHUNK_BYTES = 128 * 1024;

/**
 * SHA-256 of a file's bytes, in hexadecimal.
 * @param also receives the bytes as they are read
 */
export async function digestOf(file: FileHandle, also?: (bytes: Buffer) => Promise<void>): Promise<string> {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES);
    if (bytesRead === 0) return hash.digest('hex');
    const bytes = chunk.subarray(0, bytesRead);
    hash.update(bytes);
    await also?.(bytes);
  }
}
