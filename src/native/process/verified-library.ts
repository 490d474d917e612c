import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { PluginFailure } from '../../errors.js';
import { LoadFrom } from '../protocol/protocol.js';
import type { NativePluginOptions } from '../plugin.js';
import { changedDependency } from '../library/dependencies.js';
import { LibraryDigests } from '../library/library-digests.js';

type Library = Pick<
  NativePluginOptions,
  'name' | 'libraryPath' | 'libraryDigest' | 'libraryInPlace' | 'libraryDependencies'
>;

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
 * @throws PluginFailure BW_LIBRARY_CHANGED when the library or one that it needs is missing or has changed
 */
export async function openVerified(library: Library): Promise<VerifiedLibrary> {
  const { libraryPath: path, libraryDigest: digest } = library;
  if (digest === undefined) return UNVERIFIED;
  await compareDependencies(library);
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

/**
 * Compares the libraries that a library needs with those that were checked. The loader opens them by path, so this
 * is done before and after.
 * @throws PluginFailure BW_LIBRARY_CHANGED
 */
export async function compareDependencies(library: Library): Promise<void> {
  const { libraryDependencies } = library;
  const found = libraryDependencies && (await changedDependency(libraryDependencies));
  if (!found) return;
  const what = found.digest === null ? 'it was not there' : 'its contents have changed, or it is missing';
  throw changed(library, `its dependency ${found.path}: ${what}`);
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
  const hint = `find out who changed it; "backworks plugin swap ${name}" loads the file that is there now`;
  return new PluginFailure('BW_LIBRARY_CHANGED', message, { plugin: name, phase: 'load', hint });
}
