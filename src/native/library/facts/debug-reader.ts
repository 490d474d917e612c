import { damaged } from './unreadable.js';

/** More bytes than any number that fits into 64 bits. */
const LEB_BYTES_MAX = 10;

/** Reads a section of debug information from its start to its end. Every read is checked. */
export class DebugReader {
  position = 0;

  /** @param addressSize bytes of an address, when the section does not say */
  constructor(
    readonly bytes: Buffer,
    private readonly littleEndian: boolean,
    readonly addressSize: 4 | 8,
  ) {}

  /** A reader of the same bytes that begins elsewhere. */
  at(position: number): DebugReader {
    const other = new DebugReader(this.bytes, this.littleEndian, this.addressSize);
    other.position = position;
    return other;
  }

  u8(): number {
    return this.bytes[this.take(1)] as number;
  }

  i8(): number {
    return (this.u8() << 24) >> 24;
  }

  u16(): number {
    const at = this.take(2);
    return this.littleEndian ? this.bytes.readUInt16LE(at) : this.bytes.readUInt16BE(at);
  }

  u32(): number {
    const at = this.take(4);
    return this.littleEndian ? this.bytes.readUInt32LE(at) : this.bytes.readUInt32BE(at);
  }

  /** Above 2^53 it loses precision but is still too large for any file. */
  u64(): number {
    const at = this.take(8);
    return Number(this.littleEndian ? this.bytes.readBigUInt64LE(at) : this.bytes.readBigUInt64BE(at));
  }

  /** An offset in a section: 4 or 8 bytes, as the unit says. */
  offset(is64: boolean): number {
    return is64 ? this.u64() : this.u32();
  }

  uleb(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < LEB_BYTES_MAX; count += 1) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    throw damaged('a number in its debug information has no end');
  }

  sleb(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < LEB_BYTES_MAX; count += 1) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
      if (byte < 0x80) return (byte & 0x40) === 0 ? value : value - scale;
    }
    throw damaged('a number in its debug information has no end');
  }

  /** A text that ends with NUL. */
  text(): string {
    const end = this.bytes.indexOf(0, this.position);
    if (end < 0) throw damaged('a text in its debug information has no end');
    const text = this.bytes.toString('utf8', this.position, end);
    this.position = end + 1;
    return text;
  }

  skip(length: number): void {
    this.take(length);
  }

  private take(length: number): number {
    const at = this.position;
    if (!(length >= 0 && at + length <= this.bytes.length)) throw damaged('its debug information is cut off');
    this.position = at + length;
    return at;
  }
}
