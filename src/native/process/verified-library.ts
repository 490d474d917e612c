import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { PluginFailure } from '../../errors.js';
import { LoadFrom } from '../protocol/protocol.js';
import type { NativePluginOptions } from '../plugin.js';
import { LibraryDigests } from '../library/library-digests.js';

type Library = Pick<NativePluginOptions, 'name' | 'libraryPath' | 'libraryDigest' | 'libraryInPlace'>;

/** A library whose digest was verified, and how a runner must load it. */
export interface VerifiedLibrary {
  /** Descriptor to pass to the runner; null where the runner loads by path. */
  readonly descriptor: number | null;
  readonly from: LoadFrom;
  close(): Promise<void>;
}

const UNVERIFIED: VerifiedLibrary = { descriptor: null, from: LoadFrom.PATH, close: () => Promise.resolve() };
const digests = new LibraryDigests();

/**
 * Opens a library for one process and compares its bytes with the digest that was approved. The process
 * loads the opened file, even if its path leads to another file by then. The bytes are read again only when
 * the file's identity, size or times have changed; otherwise this takes two system calls.
 * @throws PluginFailure BW_LIBRARY_CHANGED when the file is missing or its contents have changed
 */
export async function openVerified(library: Library): Promise<VerifiedLibrary> {
  const { libraryPath: path, libraryDigest: digest } = library;
  if (digest === undefined) return UNVERIFIED;
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
    throw changed(library, `it cannot be read: ${(cause as Error).message}`);
  });
  try {
    const found = await digests.readFrom(file, path);
    if (found !== digest) throw changed(library, 'its contents have changed');
  } catch (error) {
    await file.close();
    throw error instanceof PluginFailure ? error : changed(library, (error as Error).message);
  }
  return process.platform === 'linux' ? handOver(file, library) : closed(file);
}

function handOver(file: FileHandle, { libraryInPlace }: Library): VerifiedLibrary {
  // The loader finds other libraries relative to the path it is given.
  const from = libraryInPlace === true ? LoadFrom.SAME_FILE : LoadFrom.DESCRIPTOR;
  return { descriptor: file.fd, from, close: () => file.close() };
}

/** Other systems load by path only. */
async function closed(file: FileHandle): Promise<VerifiedLibrary> {
  await file.close();
  return UNVERIFIED;
}

function changed({ name, libraryPath }: Library, what: string): PluginFailure {
  const message = `the library of plugin ${name} changed after it was checked: ${libraryPath}: ${what}`;
  const hint = `"backworks plugin restart ${name}" loads the current file; find out who changed it`;
  return new PluginFailure('BW_LIBRARY_CHANGED', message, { plugin: name, phase: 'load', hint });
}
