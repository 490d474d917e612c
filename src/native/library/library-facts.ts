import { stat } from 'node:fs/promises';
import { type LibraryFacts, readLibraryFacts } from './facts/index.js';
import { fileState, isSettled } from './file-state.js';

interface Known {
  readonly state: string;
  readonly facts: LibraryFacts;
}

/** A server has fewer libraries. When more files are asked about, the oldest are read again. */
const KNOWN_MAX = 1024;
const known = new Map<string, Known>();

/**
 * The facts of a library. A start of a plugin needs them in several places, and plugins may share a library, so a file
 * is read again only when its identity, size or times have changed.
 * @throws BackworksError BW_LIBRARY_NOT_FOUND, BW_LIBRARY_FORMAT or BW_LIBRARY_TRUNCATED
 */
export async function libraryFacts(path: string): Promise<LibraryFacts> {
  const file = await stat(path, { bigint: true }).catch(() => null);
  const state = file === null ? null : fileState(file);
  const found = known.get(path);
  if (found !== undefined && found.state === state) return found.facts;
  const facts = await readLibraryFacts(path);
  if (file !== null && state !== null && isSettled(file)) remember(path, { state, facts });
  return facts;
}

function remember(path: string, entry: Known): void {
  known.delete(path);
  known.set(path, entry);
  const [oldest] = known.keys();
  if (known.size > KNOWN_MAX && oldest !== undefined) known.delete(oldest);
}
