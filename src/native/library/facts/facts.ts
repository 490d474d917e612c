import type { ErrorCode } from '../../../errors.js';

/** Facts about a library, read from its file without loading it. Texts come from the file: untrusted. */
export interface LibraryFacts {
  readonly format: LibraryFormat;
  readonly kind: 'shared-library' | 'executable' | 'object' | 'other';
  /** Names as in `process.arch`; several for a universal Mach-O file. */
  readonly architectures: readonly string[];
  /** Names that dlsym() finds; for a universal file, the names that every architecture has. */
  readonly exports: ReadonlySet<string>;
  /** Libraries the loader must find first, as written in the file. */
  readonly needed: readonly string[];
  /** Highest glibc version that any symbol needs, such as "2.38"; null when none needs a version. */
  readonly glibcFloor: string | null;
  /** C library the file is linked to; null when it names none. */
  readonly libc: 'glibc' | 'musl' | null;
  /** Extra directories the loader looks for needed libraries in; may hold $ORIGIN or @loader_path. */
  readonly runpath: readonly string[];
  /** The name other libraries link to it by. */
  readonly soname: string | null;
}

export type LibraryFormat = 'elf' | 'pe' | 'mach-o';

/** Limits that no real library reaches. They bound the time and memory that a hostile file can cost. */
export const LIMITS = {
  fileBytes: 512 * 1024 * 1024,
  /** Bytes read from one file; bytes read twice count twice. */
  readBytes: 256 * 1024 * 1024,
  symbols: 1_000_000,
  /** A section that is decompressed. */
  sectionBytes: 128 * 1024 * 1024,
  /** Sections, segments, load commands, needed libraries, architectures. */
  tableEntries: 65_536,
  /** Longer names are skipped: no function of a plugin has one. */
  nameBytes: 16 * 1024,
  /** All names of one file together. */
  nameBytesTotal: 64 * 1024 * 1024,
} as const;

/** An error code, the rest of a sentence that begins with the path, and a hint. */
export type Problem = readonly [code: ErrorCode, message: string, hint: string];
