/**
 * What the configuration says about the content of an endpoint. This file contains only types; `types.ts` exports those
 * that other folders use.
 */

/** The content codings that the server writes. */
export type ContentCoding = 'br' | 'gzip' | 'zstd';

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
  readonly precompressed: readonly ContentCoding[];
  /** Value of the cache-control header; null for none. */
  readonly cacheControl: string | null;
}

/** The `compression:` block of the server or of an endpoint. */
export interface CompressionConfig {
  /** In the order in which the server prefers them. Empty: nothing is compressed. */
  readonly encodings: readonly ContentCoding[];
  /** Shorter bodies are not compressed, if their length is known. */
  readonly minBytes: number;
  /** Media types: `text/html`, `text/*` or `application/*+json`. */
  readonly types: readonly string[];
  readonly level: CompressionLevel;
}

/** How much time is spent to make a body smaller. */
export type CompressionLevel = 'fast' | 'balanced' | 'small';

/** The `cache:` block of the server or of an endpoint. */
export interface CacheConfig {
  /** Value of cache-control for answers that have none; null for none. */
  readonly control: string | null;
  /** Whether answers get an entity tag. */
  readonly etag: boolean;
}
