import type { ErrorCode } from '../../../errors.js';

/** What a library file says of itself, read without loading it. Text comes from the file: untrusted. */
export interface LibraryFacts {
  readonly format: LibraryFormat;
  readonly kind: 'shared-library' | 'executable' | 'object' | 'other';
  /** Names as in `process.arch`; several for a universal Mach-O file. */
  readonly architectures: readonly string[];
  /** Names a loader finds by dlsym(); of a universal file those that every architecture has. */
  readonly exports: ReadonlySet<string>;
  /** Libraries the loader must find first, as written in the file. */
  readonly needed: readonly string[];
  /** Highest glibc version a symbol asks for, such as "2.38"; null when none does. */
  readonly glibcFloor: string | null;
  /** C library it is linked to; null when it names none. */
  readonly libc: 'glibc' | 'musl' | null;
  /** Extra directories the loader looks for needed libraries in; may hold $ORIGIN or @loader_path. */
  readonly runpath: readonly string[];
  /** The name other libraries link to it by. */
  readonly soname: string | null;
}

export type LibraryFormat = 'elf' | 'pe' | 'mach-o';

/** Limits that no honest library reaches. They bound the time and memory a hostile file can cost. */
export const LIMITS = {
  fileBytes: 512 * 1024 * 1024,
  /** Bytes read out of one file, counted again when read again. */
  readBytes: 256 * 1024 * 1024,
  symbols: 1_000_000,
  /** Sections, segments, load commands, needed libraries, architectures. */
  tableEntries: 65_536,
  /** A longer name is left out: no function of a plugin has one. */
  nameBytes: 16 * 1024,
  /** All names of one file together. */
  nameBytesTotal: 64 * 1024 * 1024,
} as const;

/** Code, the rest of a sentence that begins with the path, and what to do. */
export type Problem = readonly [code: ErrorCode, message: string, hint: string];
