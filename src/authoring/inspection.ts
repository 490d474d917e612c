import { stat } from 'node:fs/promises';
import { type BackworksError, toBackworksError } from '../errors.js';
import {
  checkLibrary,
  hasDebugInformation,
  type LibraryFacts,
  readLibraryFacts,
} from '../native/library/facts/index.js';
import { LibraryDigests } from '../native/library/library-digests.js';
import type { LibraryDescription } from '../native/plugin.js';
import type { LibraryReader } from '../plugins/library-reader.js';
import { type PluginMetadata, readMetadata } from '../plugins/metadata.js';

/** Everything that a file says about itself. */
export interface Inspection {
  /** Absolute. */
  readonly path: string;
  readonly sizeBytes: number;
  /** SHA-256 in hexadecimal; null when the file cannot be read to its end. */
  readonly digest: string | null;
  /** Null when the file is not a library. */
  readonly facts: LibraryFacts | null;
  /** Null when it is not known. */
  readonly hasDebugInformation: boolean | null;
  /** Null when the library was not loaded, or not described. */
  readonly description: LibraryDescription | null;
  /** Null when there is no description, or its manifest is not valid. */
  readonly metadata: PluginMetadata | null;
  /** Why something is missing. */
  readonly problem: BackworksError | null;
}

/**
 * Reads a file, and describes the library in its sandbox when it can be a plugin on this machine. The library is not
 * initialized. A file that is no plugin, or a library that crashes, is a result and no error.
 * @throws BackworksError BW_LIBRARY_NOT_FOUND, or BW_RUNNER_* when nothing can be described here
 */
export async function inspectLibrary(path: string, reader: LibraryReader): Promise<Inspection> {
  const found: { -readonly [Member in keyof Inspection]: Inspection[Member] } = {
    path,
    sizeBytes: 0,
    digest: null,
    facts: null,
    hasDebugInformation: null,
    description: null,
    metadata: null,
    problem: null,
  };
  try {
    found.facts = await readLibraryFacts(path);
    found.hasDebugInformation = await hasDebugInformation(path);
    checkLibrary(path, found.facts);
    found.description = await reader.describe(path);
    found.metadata = readMetadata(found.description);
  } catch (thrown) {
    const error = toBackworksError(thrown);
    if (!/^BW_(LIBRARY|PLUGIN)_/.test(error.code) || error.code === 'BW_LIBRARY_NOT_FOUND') throw error;
    found.problem = error;
  }
  found.sizeBytes = (await stat(path)).size;
  found.digest = await new LibraryDigests().read(path);
  return found;
}
