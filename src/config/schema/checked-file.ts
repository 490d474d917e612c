import type { Pointer } from '../source/pointer.js';
import type { Finding } from '../source/problems.js';
import type { RawConfig, RawSize } from './raw.js';
import { formatSize, parseSize } from '../source/units.js';

/** A file that passed the schema, except for the `broken` values. */
export interface CheckedFile {
  readonly raw: RawConfig;
  readonly directory: string;
  /** Absolute path of the file, or null when the configuration was given as a value. */
  readonly path: string | null;
  /** True when the value or a part of it is wrong, so nothing can be concluded from the value. */
  isBroken(pointer: Pointer): boolean;
  /** True when the value itself is wrong, so its parts cannot be examined. */
  isInvalid(pointer: Pointer): boolean;
  /** True for a value that messages must not show. */
  isHidden(pointer: Pointer): boolean;
  /** True for a value from the file, false for a default. */
  isGiven(pointer: Pointer): boolean;
  /** A text of the file in the form that messages may show. */
  show(pointer: Pointer, text: string): string;
  /** Reports a problem of a value. */
  reject(pointer: Pointer, finding: Finding): void;
  /** Reports a problem of a whole entry, at its key. */
  rejectEntry(pointer: Pointer, finding: Finding): void;
}

/** Reports a size above `max` bytes. */
export function checkSize(file: CheckedFile, pointer: Pointer, value: RawSize, max: number): void {
  if (parseSize(value) <= max) return;
  const found = file.show(pointer, String(value));
  file.reject(pointer, { expected: `a size of at most ${formatSize(max)}`, found });
}
