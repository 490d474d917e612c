/**
 * What the configuration says about the content of an endpoint. This file contains only types; `types.ts` exports those
 * that other folders use.
 */

/** The content codings in which a file can lie beside itself: `app.js.br`, `app.js.gz`, `app.js.zst`. */
export type FileCoding = 'br' | 'gzip' | 'zstd';

/** A directory whose files answer requests. */
export interface FilesTarget {
  /** Absolute. */
  readonly directory: string;
  /** Name of the file that answers for a directory. */
  readonly index: string;
  /** File below the directory that answers when there is no file for the path; null for none. */
  readonly fallback: string | null;
  /** Whether names that begin with a dot are served. */
  readonly dotfiles: 'deny' | 'allow';
  /** inside: a symbolic link is followed when it leads to a place in the directory. */
  readonly symlinks: 'inside' | 'follow';
  /** In the order in which the server prefers them. */
  readonly precompressed: readonly FileCoding[];
  /** Value of the cache-control header; null for none. */
  readonly cacheControl: string | null;
}
