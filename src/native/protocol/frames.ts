import type { LongText, Text } from '../../long-text.js';
import { FRAME_HEADER_SIZE } from './protocol.js';

/**
 * Collects frames for one write. Strings are encoded straight into the buffer, which grows by
 * doubling and is returned as a whole, so a batch of calls costs one allocation. Long byte arrays are not
 * copied.
 */
export class FrameWriter {
  /** The collected bytes: first these chunks, then `buffer[begun, end)`. */
  private chunks: Buffer[] = [];
  private chunkBytes = 0;
  private buffer = Buffer.allocUnsafe(INITIAL_BATCH_BYTES);
  private begun = 0;
  private end = 0;

  /** Bytes collected since the last `take()`. */
  get size(): number {
    return this.chunkBytes + this.end - this.begun;
  }

  /** Appends a frame whose payload is the given texts, each ended by a NUL byte. */
  add(type: number, id: number, detail: number, value: number, texts: readonly Text[]): void {
    // Before anything is written: half a frame would spoil all that follow.
    if (value !== (value | 0)) throw new RangeError(`frame value ${value} is no 32-bit integer`);
    let needed = FRAME_HEADER_SIZE;
    for (const text of texts) needed += encodedMax(text) + 1;
    this.reserve(needed);
    const { buffer, end: start, size } = this;
    this.end += FRAME_HEADER_SIZE;
    for (const text of texts) {
      if (typeof text === 'string') this.end += buffer.write(text, this.end, 'utf8');
      else this.addParts(text);
      buffer[this.end++] = 0;
    }
    buffer.writeUInt32LE(this.size - size - FRAME_HEADER_SIZE, start);
    buffer.writeUInt32LE(id, start + 4);
    buffer[start + 8] = type;
    buffer[start + 9] = detail;
    buffer[start + 10] = 0;
    buffer[start + 11] = 0;
    buffer.writeInt32LE(value, start + 12);
  }

  private addParts({ head, bytes, tail }: LongText): void {
    const { buffer } = this;
    this.end += buffer.write(head, this.end, 'utf8');
    if (bytes.length < COPIED_BYTES_MAX) {
      this.end += bytes.copy(buffer, this.end);
    } else {
      this.chunks.push(buffer.subarray(this.begun, this.end), bytes);
      this.chunkBytes += this.end - this.begun + bytes.length;
      this.begun = this.end;
    }
    this.end += buffer.write(tail, this.end, 'utf8');
  }

  /** Returns the collected bytes, in the order to write. Further frames go to another part of the buffer. */
  take(): Buffer[] {
    const { chunks } = this;
    if (this.end > this.begun) chunks.push(this.buffer.subarray(this.begun, this.end));
    const rest = this.buffer.length - this.end;
    // The rest of the buffer is used for the next batches until it is too small.
    this.buffer =
      rest >= MIN_REST_BYTES ? this.buffer.subarray(this.end) : Buffer.allocUnsafe(INITIAL_BATCH_BYTES);
    this.chunks = [];
    this.chunkBytes = 0;
    this.begun = 0;
    this.end = 0;
    return chunks;
  }

  private reserve(bytes: number): void {
    if (this.end + bytes <= this.buffer.length) return;
    const have = this.end - this.begun;
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, have + bytes));
    this.buffer.copy(grown, 0, this.begun, this.end);
    this.buffer = grown;
    this.begun = 0;
    this.end = have;
  }
}

const INITIAL_BATCH_BYTES = 64 * 1024;
const MIN_REST_BYTES = 8 * 1024;
const MAX_UTF8_BYTES_PER_UNIT = 3;
/** Longer bytes are cheaper to write separately than to copy. */
const COPIED_BYTES_MAX = 16 * 1024;

/** The most bytes that the text can take in the buffer. */
function encodedMax(text: Text): number {
  if (typeof text === 'string') return text.length * MAX_UTF8_BYTES_PER_UNIT;
  const { head, bytes, tail } = text;
  const copied = bytes.length < COPIED_BYTES_MAX ? bytes.length : 0;
  return (head.length + tail.length) * MAX_UTF8_BYTES_PER_UNIT + copied;
}

/** The exact size of the texts as a payload, in bytes. */
export function payloadSize(texts: readonly Text[]): number {
  let size = 0;
  for (const text of texts) {
    if (typeof text === 'string') size += Buffer.byteLength(text) + 1;
    else size += Buffer.byteLength(text.head) + text.bytes.length + Buffer.byteLength(text.tail) + 1;
  }
  return size;
}

/** Called for every frame, in order. `payload` is valid until the handler returns; copy what you keep. */
export type FrameHandler = (type: number, id: number, detail: number, value: number, payload: Buffer) => void;

/** A frame that breaks the protocol; the message says how. */
export class FrameError extends Error {
  override name = 'FrameError';
}

/**
 * Cuts a stream of bytes into frames. Length and type are checked as soon as the header has arrived,
 * before any memory is allocated for the payload.
 * @throws FrameError on the first frame that breaks the rules; the parser is unusable afterwards.
 */
export class FrameParser {
  /** Bytes of an incomplete frame, `pending[0, have)`. */
  private pending: Buffer = EMPTY;
  private have = 0;

  /** @param payloadMax longest payload in bytes of each type that may come */
  constructor(
    private readonly payloadMax: Readonly<Record<number, number>>,
    private readonly onFrame: FrameHandler,
  ) {}

  push(chunk: Buffer): void {
    let offset = 0;
    if (this.have > 0) {
      offset = this.complete(chunk);
      if (this.have > 0) return;
    }
    while (chunk.length - offset >= FRAME_HEADER_SIZE) {
      const size = FRAME_HEADER_SIZE + this.checkHeader(chunk, offset);
      if (chunk.length - offset < size) break;
      this.deliver(chunk, offset, size);
      offset += size;
    }
    if (offset < chunk.length) this.keep(chunk, offset);
  }

  /** Completes the pending frame from the chunk. Returns how many bytes of the chunk it used. */
  private complete(chunk: Buffer): number {
    let offset = 0;
    if (this.have < FRAME_HEADER_SIZE) offset = this.fill(chunk, 0, FRAME_HEADER_SIZE);
    if (this.have < FRAME_HEADER_SIZE) return offset;
    const size = FRAME_HEADER_SIZE + this.checkHeader(this.pending, 0);
    offset = this.fill(chunk, offset, size);
    if (this.have < size) return offset;
    const frame = this.pending;
    this.pending = EMPTY;
    this.have = 0;
    this.deliver(frame, 0, size);
    return offset;
  }

  private keep(chunk: Buffer, offset: number): void {
    this.pending = Buffer.allocUnsafe(Math.max(FRAME_HEADER_SIZE, chunk.length - offset));
    this.fill(chunk, offset, chunk.length - offset);
  }

  /** Copies from the chunk until `pending` holds `size` bytes; returns the new offset. */
  private fill(chunk: Buffer, offset: number, size: number): number {
    const count = Math.min(size - this.have, chunk.length - offset);
    if (this.pending.length < this.have + count) {
      // Grows with the bytes that arrived, not with the length in the header.
      const room = Math.min(size, Math.max(this.pending.length * 2, this.have + count));
      const grown = Buffer.allocUnsafe(room);
      this.pending.copy(grown, 0, 0, this.have);
      this.pending = grown;
    }
    chunk.copy(this.pending, this.have, offset, offset + count);
    this.have += count;
    return offset + count;
  }

  /** Checks a header. Returns its payload length. */
  private checkHeader(buffer: Buffer, offset: number): number {
    const length = buffer.readUInt32LE(offset);
    const type = buffer[offset + 8] as number;
    const max = this.payloadMax[type];
    if (max === undefined) throw new FrameError(`unknown frame type ${type}`);
    if (length > max) throw new FrameError(`frame of ${length} bytes, at most ${max} allowed`);
    if (buffer.readUInt16LE(offset + 10) !== 0) throw new FrameError('reserved header bytes are not 0');
    return length;
  }

  private deliver(buffer: Buffer, offset: number, size: number): void {
    this.onFrame(
      buffer[offset + 8] as number,
      buffer.readUInt32LE(offset + 4),
      buffer[offset + 9] as number,
      buffer.readInt32LE(offset + 12),
      size === FRAME_HEADER_SIZE ? EMPTY : buffer.subarray(offset + FRAME_HEADER_SIZE, offset + size),
    );
  }
}

const EMPTY = Buffer.alloc(0);
