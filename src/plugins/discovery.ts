import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { toBackworksError } from '../errors.js';
import type { LibraryReader } from './library-reader.js';
import type { PluginMetadata } from './metadata.js';

const LIBRARY_NAME = /\.(?:so|dylib|dll)$/;
export interface DiscoveredLibrary {
  readonly path: string;
  readonly metadata: PluginMetadata;
}

export interface Discovery {
  readonly found: readonly DiscoveredLibrary[];
  readonly rejected: readonly RejectedLibrary[];
}

/**
 * Finds plugins in directories, in the given order and by file name, and reads their metadata without
 * initializing them. A file that is not a usable plugin is listed in `rejected` and does not stop the search.
 */
export async function discoverPlugins(
  directories: readonly string[],
  reader: LibraryReader,
): Promise<Discovery> {
  const listings = await Promise.all(directories.map(listLibraries));
  const paths = [...new Set(listings.flat())];
  const found: DiscoveredLibrary[] = [];
  const rejected: RejectedLibrary[] = [];
  const results = await Promise.allSettled(paths.map((path) => reader.read(path)));
  results.forEach((result, index) => {
    const path = paths[index] as string;
    if (result.status === 'fulfilled') found.push({ path, metadata: result.value });
    else rejected.push(reject(path, result.reason));
  });
  return { found, rejected };
}

/** Describes a rejected library for the operator. */
function reject(path: string, thrown: unknown): RejectedLibrary {
  const error = toBackworksError(thrown);
  return { path, code: error.code, reason: error.message, hint: error.hint ?? null };
}

async function listLibraries(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries
      .filter((entry) => LIBRARY_NAME.test(entry.name) && !entry.isDirectory())
      .map((entry) => join(directory, entry.name))
      .sort();
  } catch (error) {
    // A missing directory contains no plugins. A directory that cannot be read is an error.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** A file in a plugin directory that is not a usable plugin. */
export interface RejectedLibrary {
  readonly path: string;
  readonly code: string;
  readonly reason: string;
  readonly hint: string | null;
}
