/*
 * The runner protocol, version 1.
 *
 * The server (src/native/protocol.ts) and the runner (src/runner/protocol.h) talk over one stream
 * socket, descriptor 3 of the runner. Both sides send frames: a header of 16 bytes, then `length`
 * bytes of payload. Numbers are little-endian.
 *
 *   offset 0   u32  length    payload bytes, at most FRAME_PAYLOAD_MAX
 *   offset 4   u32  id        the call's number, chosen by the server, echoed by the answer;
 *                             0 on frames that belong to no call
 *   offset 8   u8   type      a frame type, below
 *   offset 9   u8   detail    hook, failure kind or log level, as the type says
 *   offset 10  u16  reserved  0
 *   offset 12  i32  value     version, status, milliseconds or a bit mask, as the type says
 *
 * Each side's first frame is HELLO with the protocol version; anything else first, another version,
 * an unknown type, a wrong length or a wrong state ends the conversation and the runner. The server
 * may send further frames behind its HELLO without waiting. Calls are answered in the order they
 * were sent. Strings in a payload each end with a NUL byte, except the text of REPLY, FAILED, LOG
 * and METRIC, which is the rest of the payload. Neither side parses JSON to speak this protocol.
 *
 *   server ─▶ HELLO  [SANDBOX]  LOAD  INITIALIZE  (CALL | HEALTH_CHECK | RECONFIGURE)*  SHUTDOWN
 *   runner ─▶ HELLO  [READY]  LOADED  STATUS  (REPLY | EMPTY | STATUS | FAILED | LOG | METRIC)*  STATUS
 *
 * Without SANDBOX nothing restricts the library and nothing reports its crashes. With it, CRASHED may
 * come at any moment as the runner's last frame.
 *
 * SPDX-License-Identifier: MIT
 */
import type { AbiFunction, Hook } from './native-plugin.js';

export const PROTOCOL_VERSION = 1;
export const FRAME_HEADER_SIZE = 16;
export const FRAME_PAYLOAD_MAX = 16 * 1024 * 1024;
export const LOG_TEXT_MAX = 8 * 1024;

/** The memory shared with the runner, descriptor 4; see protocol.h. */
export const Shared = {
  BEGUN: 0,
  PRODUCED: 8,
  BEGUN_US: 16,
  CANCELLED: 4096,
  RING: 20480,
  SIZE: 86016,
} as const;
export const CANCEL_SLOTS = 4096;
export const ANSWER_RING_SIZE = 65536;

/** Frames the server sends. */
export const ServerFrame = {
  HELLO: 1,
  LOAD: 2,
  INITIALIZE: 3,
  CALL: 4,
  HEALTH_CHECK: 5,
  RECONFIGURE: 6,
  SHUTDOWN: 7,
  SANDBOX: 8,
} as const;

/** Frames the runner sends. */
export const RunnerFrame = {
  HELLO: 65,
  LOADED: 66,
  STATUS: 67,
  REPLY: 68,
  EMPTY: 69,
  FAILED: 70,
  LOG: 71,
  METRIC: 72,
  CRASHED: 73,
  READY: 74,
} as const;

/** The `detail` of CALL. */
export const HOOK_NUMBER: Readonly<Record<Hook, number>> = {
  before_request: 0,
  after_response: 1,
  process_endpoint: 2,
  call: 3,
};

/** The `detail` of FAILED. */
export const Failure = {
  LOAD: 1,
  NOT_IMPLEMENTED: 2,
  REPLY_TOO_LARGE: 3,
  ABI: 4,
  OUT_OF_MEMORY: 5,
  SANDBOX: 6,
  CANCELLED: 7,
} as const;

const FUNCTION_BITS: readonly (readonly [number, AbiFunction])[] = [
  [1 << 0, 'initialize'],
  [1 << 1, 'shutdown'],
  [1 << 2, 'health_check'],
  [1 << 3, 'before_request'],
  [1 << 4, 'after_response'],
  [1 << 5, 'process_endpoint'],
  [1 << 8, 'manifest'],
  [1 << 9, 'free_string'],
  [1 << 10, 'last_error'],
  [1 << 11, 'bind_host'],
  [1 << 12, 'call'],
  [1 << 13, 'reconfigure'],
];
const FLAG_THREAD_SAFE = 1 << 16;

/** Reads the `value` of LOADED. */
export function readFunctionBits(bits: number): { functions: Set<AbiFunction>; threadSafe: boolean } {
  const functions = new Set<AbiFunction>();
  for (const [bit, name] of FUNCTION_BITS) if ((bits & bit) !== 0) functions.add(name);
  return { functions, threadSafe: (bits & FLAG_THREAD_SAFE) !== 0 };
}

/** How the runner ends when no signal ends it, in words. */
export const RUNNER_EXIT: Readonly<Record<number, string>> = {
  64: 'the runner was started with wrong arguments',
  71: 'the runner had not enough memory',
  74: 'the connection to the runner failed',
  75: 'the library could not be loaded',
  76: 'the runner and the server did not understand each other',
  77: 'the server was gone before the runner began',
  78: 'the sandbox could not be put on',
};

/**
 * Collects frames for one write. Strings are encoded straight into the buffer, which grows by
 * doubling and is handed over whole, so a batch of calls costs one allocation.
 */
export class FrameWriter {
  private buffer = Buffer.allocUnsafe(INITIAL_BATCH_BYTES);
  private end = 0;

  /** Bytes collected since the last `take()`. */
  get size(): number {
    return this.end;
  }

  /** Appends a frame whose payload is the given strings, each ended by a NUL byte. */
  add(type: number, id: number, detail: number, value: number, strings: readonly string[]): void {
    let needed = FRAME_HEADER_SIZE;
    for (const text of strings) needed += text.length * MAX_UTF8_BYTES_PER_UNIT + 1;
    this.reserve(needed);
    const { buffer } = this;
    const start = this.end;
    let end = start + FRAME_HEADER_SIZE;
    for (const text of strings) {
      end += buffer.write(text, end, 'utf8');
      buffer[end++] = 0;
    }
    buffer.writeUInt32LE(end - start - FRAME_HEADER_SIZE, start);
    buffer.writeUInt32LE(id, start + 4);
    buffer[start + 8] = type;
    buffer[start + 9] = detail;
    buffer[start + 10] = 0;
    buffer[start + 11] = 0;
    buffer.writeInt32LE(value, start + 12);
    this.end = end;
  }

  /** Hands over what was collected; the writer starts afresh in a buffer of its own. */
  take(): Buffer {
    const batch = this.buffer.subarray(0, this.end);
    const rest = this.buffer.length - this.end;
    // The remainder serves the next batches until it is too small to be worth keeping.
    this.buffer =
      rest >= MIN_REST_BYTES ? this.buffer.subarray(this.end) : Buffer.allocUnsafe(INITIAL_BATCH_BYTES);
    this.end = 0;
    return batch;
  }

  private reserve(bytes: number): void {
    if (this.end + bytes <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.end + bytes));
    this.buffer.copy(grown, 0, 0, this.end);
    this.buffer = grown;
  }
}

const INITIAL_BATCH_BYTES = 64 * 1024;
const MIN_REST_BYTES = 8 * 1024;
const MAX_UTF8_BYTES_PER_UNIT = 3;

/** Bytes the strings take as a payload, exactly. */
export function payloadSize(strings: readonly string[]): number {
  let size = 0;
  for (const text of strings) size += Buffer.byteLength(text) + 1;
  return size;
}

/** Called for every frame, in order. `payload` is valid until the call returns; copy what is kept. */
export type FrameHandler = (type: number, id: number, detail: number, value: number, payload: Buffer) => void;

/** A frame that breaks the protocol; the message says how. */
export class FrameError extends Error {
  override name = 'FrameError';
}

/**
 * Cuts a stream of bytes into frames. Length and type are checked as soon as the header is there,
 * before any memory is set aside for the payload.
 * @throws FrameError on the first frame that breaks the rules; the parser is unusable afterwards.
 */
export class FrameParser {
  /** Bytes of an incomplete frame, `pending[0, have)`. */
  private pending: Buffer = EMPTY;
  private have = 0;

  constructor(
    private readonly payloadMax: number,
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

  /** Completes the pending frame from the chunk; returns how much of the chunk that took. */
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
      // Grows with what has arrived, not with what the header promises.
      const room = Math.min(size, Math.max(this.pending.length * 2, this.have + count));
      const grown = Buffer.allocUnsafe(room);
      this.pending.copy(grown, 0, 0, this.have);
      this.pending = grown;
    }
    chunk.copy(this.pending, this.have, offset, offset + count);
    this.have += count;
    return offset + count;
  }

  /** The payload length the header states. */
  private checkHeader(buffer: Buffer, offset: number): number {
    const length = buffer.readUInt32LE(offset);
    const type = buffer[offset + 8] as number;
    if (type < RunnerFrame.HELLO || type > RunnerFrame.READY)
      throw new FrameError(`unknown frame type ${type}`);
    if (length > this.payloadMax)
      throw new FrameError(`frame of ${length} bytes, at most ${this.payloadMax} allowed`);
    if (buffer.readUInt16LE(offset + 10) !== 0) throw new FrameError('reserved header bytes are not 0');
    return length;
  }

  private deliver(buffer: Buffer, offset: number, size: number): void {
    this.onFrame(
      buffer[offset + 8] as number,
      buffer.readUInt32LE(offset + 4),
      buffer[offset + 9] as number,
      buffer.readInt32LE(offset + 12),
      buffer.subarray(offset + FRAME_HEADER_SIZE, offset + size),
    );
  }
}

const EMPTY = Buffer.alloc(0);
