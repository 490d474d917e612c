import type { FilesTarget } from '../../config/types.js';

/** What a path names below the directory of an endpoint. */
export interface NamedFile {
  /** Decoded names of directories, then of the file; empty for the directory itself. */
  readonly names: readonly string[];
  /** The path ends in a slash, so it names a directory. */
  readonly isDirectory: boolean;
}

/**
 * Reads the part of a path behind the prefix of an endpoint.
 *
 * @param path percent-encoded, without the query
 * @param prefixSegments number of segments before the `*` of the endpoint's path
 * @returns null when the path names nothing that may be served: it leaves the directory, or a name of it is empty, is
 *   hidden, or has a slash, a backslash or a NUL in encoded form
 */
export function namedFile(
  path: string,
  prefixSegments: number,
  dotfiles: FilesTarget['dotfiles'],
): NamedFile | null {
  const segments = path.split('/').slice(1 + prefixSegments);
  const isDirectory = segments.length === 0 || segments.at(-1) === '';
  if (segments.at(-1) === '') segments.pop();
  const names: string[] = [];
  for (const segment of segments) {
    const name = decoded(segment);
    if (name === null || name === '' || /[\0/\\]/.test(name)) return null;
    if (name === '.' || name === '..' || (name.startsWith('.') && dotfiles === 'deny')) return null;
    names.push(name);
  }
  return { names, isDirectory };
}

function decoded(segment: string): string | null {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
