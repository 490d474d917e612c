import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { LINE_BYTES_MAX } from './lines.js';

/** The `file` of the configuration that means standard output. */
export const STDOUT = 'stdout';
const STDOUT_FD = 1;
/** Bytes of one write to a file. */
const FILE_PIECE_BYTES = 256 * 1024;
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK;

/** Where lines are written. */
export interface Destination {
  readonly fd: number;
  /** Bytes that one write may have so that the lines of several processes do not mix. */
  readonly pieceBytes: number;
  /** Identity of the file; null for standard output. */
  readonly file: { readonly device: number; readonly inode: number } | null;
  close(): void;
}

/** @throws Error with a `code`, when the file cannot be opened */
export function openDestination(file: string): Destination {
  if (file === STDOUT) return openStdout();
  const fd = openSync(file, FLAGS | constants.O_CREAT, 0o640);
  const { dev, ino } = fstatSync(fd);
  return owned(fd, { device: dev, inode: ino });
}

/**
 * A write to a full pipe would block a thread, and a blocked thread keeps the process from exiting. A pipe or terminal is
 * therefore opened again without blocking, which leaves the descriptor of the server's own log as it is. A regular file
 * is not: both logs have to share its position.
 */
function openStdout(): Destination {
  const facts = fstatSync(STDOUT_FD);
  if (facts.isFIFO() || facts.isCharacterDevice()) {
    try {
      return owned(openSync(`/proc/self/fd/${STDOUT_FD}`, FLAGS), null);
    } catch {
      // No /proc, or another user's pipe.
    }
  }
  return { ...owned(STDOUT_FD, null), close: () => undefined };
}

function owned(fd: number, file: Destination['file']): Destination {
  const pieceBytes = fstatSync(fd).isFile() ? FILE_PIECE_BYTES : LINE_BYTES_MAX;
  return { fd, pieceBytes, file, close: () => closeSync(fd) };
}
