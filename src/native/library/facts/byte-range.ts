import { LIMITS } from './facts.js';
import { damaged } from './unreadable.js';

/** How much may still be read from one file, shared by all its parts. */
export interface Budget {
  bytesLeft: number;
  nameBytesLeft: number;
}

/** A range of a file's bytes, with numbers in one byte order. Every read is checked. */
export class ByteRange {
  private readonly view: DataView;
  private readonly buffer: Buffer;

  constructor(
    bytes: Uint8Array,
    private readonly what: string,
    private readonly littleEndian: boolean,
    private readonly budget: Budget,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get bytes(): Uint8Array {
    return this.buffer;
  }

  get length(): number {
    return this.buffer.length;
  }

  u8(offset: number): number {
    this.check(offset, 1);
    return this.view.getUint8(offset);
  }

  u16(offset: number): number {
    this.check(offset, 2);
    return this.view.getUint16(offset, this.littleEndian);
  }

  u32(offset: number): number {
    this.check(offset, 4);
    return this.view.getUint32(offset, this.littleEndian);
  }

  /** A 64-bit number. Above 2^53 it loses precision but is still too large for any file. */
  u64(offset: number): number {
    this.check(offset, 8);
    return Number(this.view.getBigUint64(offset, this.littleEndian));
  }

  /**
   * The NUL-terminated text at `offset`.
   * @returns null when it is longer than a name may be
   */
  name(offset: number): string | null {
    this.check(offset, 1);
    const window = this.buffer.subarray(offset, offset + LIMITS.nameBytes);
    const length = window.indexOf(0);
    this.spend(length < 0 ? window.length : length);
    return length < 0 ? null : window.toString('utf8', 0, length);
  }

  /**
   * Counts names that are read or assembled from this range. Names may share bytes, so without this limit
   * a small file could produce gigabytes of names.
   */
  spend(nameBytes: number): void {
    this.budget.nameBytesLeft -= nameBytes;
    if (this.budget.nameBytesLeft < 0) throw damaged(`its ${this.what} is implausibly large`);
  }

  private check(offset: number, length: number): void {
    if (!(offset >= 0 && offset + length <= this.buffer.length)) {
      throw damaged(`its ${this.what} is cut off`);
    }
  }
}
