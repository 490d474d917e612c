import { readSync } from 'node:fs';
import { type Budget, ByteRange } from './byte-range.js';
import { LIMITS } from './facts.js';
import { damaged } from './unreadable.js';

/** Reads exactly `length` bytes at `offset`, both already checked against the file's size. */
type Read = (offset: number, length: number) => Uint8Array;

/** A file's bytes, read in checked ranges within a budget. */
export class ByteSource {
  private constructor(
    readonly size: number,
    private readonly read: Read,
    private readonly budget: Budget,
  ) {}

  static ofBytes(bytes: Uint8Array): ByteSource {
    const read: Read = (offset, length) => bytes.subarray(offset, offset + length);
    return new ByteSource(bytes.byteLength, read, freshBudget());
  }

  /** Reads are synchronous: a few small ranges of a file that is about to be loaded anyway. */
  static ofFile(descriptor: number, size: number): ByteSource {
    const read: Read = (offset, length) => {
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length;) {
        const count = readSync(descriptor, bytes, done, length - done, offset + done);
        if (count === 0) throw damaged('it became shorter while it was read');
        done += count;
      }
      return bytes;
    };
    return new ByteSource(size, read, freshBudget());
  }

  /** A part of this source with offsets of its own, for one architecture of a universal file. */
  part(start: number, size: number): ByteSource {
    this.check(start, size, 'architecture');
    return new ByteSource(size, (offset, length) => this.read(start + offset, length), this.budget);
  }

  /**
   * @param what names the range in errors
   * @throws UnreadableLibrary when the range is not wholly inside the file
   */
  range(offset: number, length: number, what: string, littleEndian = true): ByteRange {
    this.check(offset, length, what);
    this.budget.bytesLeft -= length;
    if (this.budget.bytesLeft < 0) throw damaged('its tables are implausibly large');
    return new ByteRange(this.read(offset, length), what, littleEndian, this.budget);
  }

  /** A table of `count` entries of `entrySize` bytes. */
  table(offset: number, count: number, entrySize: number, what: string, littleEndian = true): ByteRange {
    const limit = what === 'symbol table' ? LIMITS.symbols : LIMITS.tableEntries;
    if (count > limit) throw damaged(`its ${what} claims ${count} entries`);
    return this.range(offset, count * entrySize, what, littleEndian);
  }

  private check(offset: number, length: number, what: string): void {
    const inside = offset >= 0 && length >= 0 && offset + length <= this.size;
    if (!inside) throw damaged(`its ${what} lies outside the file`);
  }
}

function freshBudget(): Budget {
  return { bytesLeft: LIMITS.readBytes, nameBytesLeft: LIMITS.nameBytesTotal };
}
