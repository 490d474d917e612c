import { isUtf8 } from 'node:buffer';
import type { OperationRequest } from '../plugin.js';
import { KV_TTL_BYTES } from '../protocol/frame-budgets.js';
import { FrameError } from '../protocol/frames.js';

/** A request to store or remove a value. Null texts are not UTF-8. */
export interface KeyValueWrite {
  readonly key: string | null;
  /** Undefined removes the key. */
  readonly value: string | null | undefined;
  readonly ttlSeconds: number;
}

/** Reads an OPERATION. @throws FrameError unless the payload is three strings */
export function readOperation(payload: Buffer): OperationRequest {
  const [plugin = '', operation = '', text = ''] = strings(payload, 3).map(String);
  return { plugin: plugin === '' ? null : plugin, operation, payload: text };
}

/** Reads the only string of a payload; null when it is not UTF-8. @throws FrameError unless it is one string */
export function readText(payload: Buffer): string | null {
  return text(strings(payload, 1)[0]!);
}

/** Reads a KV_SET. @throws FrameError unless the payload is a number and one or two strings */
export function readWrite(payload: Buffer): KeyValueWrite {
  if (payload.length < KV_TTL_BYTES) throw new FrameError('a KV_SET without its number of seconds');
  const rest = payload.subarray(KV_TTL_BYTES);
  const isRemoval = rest.indexOf(0) === rest.length - 1;
  const [key, value] = strings(rest, isRemoval ? 1 : 2);
  return {
    key: text(key!),
    value: value === undefined ? undefined : text(value),
    ttlSeconds: payload.readUInt32LE(),
  };
}

function text(bytes: Buffer): string | null {
  return isUtf8(bytes) ? bytes.toString() : null;
}

/** @throws FrameError unless the payload is exactly `count` strings, each ended by a NUL byte */
function strings(payload: Buffer, count: number): Buffer[] {
  const found: Buffer[] = [];
  let start = 0;
  while (start < payload.length) {
    const end = payload.indexOf(0, start);
    if (end === -1 || found.length === count) break;
    found.push(payload.subarray(start, end));
    start = end + 1;
  }
  if (found.length !== count || start !== payload.length)
    throw new FrameError(`a request that is not ${count === 1 ? 'one string' : `${count} strings`}`);
  return found;
}
