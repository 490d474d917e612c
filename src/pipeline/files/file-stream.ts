import { Readable } from 'node:stream';
import type { ByteRange } from '../content/byte-range.js';
import type { OpenFile } from './open-file.js';

const READ_BYTES_MAX = 64 * 1024;

/**
 * A part of a file, read as fast as the client takes it; the file is closed at the end. A file that becomes shorter
 * fails the stream, because the length of the answer is announced already. What is appended to the file is not sent.
 */
export function fileStream(file: OpenFile, { first, last }: ByteRange): Readable {
  let position = first;
  return new Readable({
    highWaterMark: READ_BYTES_MAX,
    read() {
      const left = last - position + 1;
      if (left === 0) {
        this.push(null);
        return;
      }
      file.read(position, Math.min(READ_BYTES_MAX, left)).then(
        (bytes) => {
          position += bytes.length;
          if (bytes.length > 0) this.push(bytes);
          else this.destroy(file.shortened());
        },
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, callback) {
      file.close().then(
        () => callback(error),
        (failure: Error) => callback(error ?? failure),
      );
    },
  });
}
