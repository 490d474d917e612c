/*
 * The runner protocol, version 4.
 *
 * The server (src/native/protocol/protocol.ts) and the runner (src/runner/protocol.h) talk over two pipes:
 * the runner reads descriptor 3 and writes descriptor 6. When descriptor 3 is not a pipe, it is a stream
 * socket that carries both directions. Both sides send frames: a header of 16 bytes, then `length` bytes of
 * payload. Numbers are little-endian.
 *
 *   offset 0   u32  length    payload bytes, at most FRAME_PAYLOAD_MAX
 *   offset 4   u32  id        number of the call, chosen by the server and repeated by the answer;
 *                             0 on frames that belong to no call
 *   offset 8   u8   type      a frame type, below
 *   offset 9   u8   detail    hook, steps, flags, failure kind or log level, depending on the type
 *   offset 10  u16  reserved  0
 *   offset 12  i32  value     version, status, duration or bit mask, depending on the type
 *
 * Each side's first frame is HELLO with the protocol version. Another first frame, another version, an
 * unknown type, a wrong length or a frame in the wrong state ends the connection and the runner. The
 * server may send further frames after its HELLO without waiting. Without call threads, the runner
 * answers frames in the order they were sent. With call threads, it answers each call when the call is
 * done, and every other frame after the calls before it. Strings in a payload each end with a NUL byte,
 * except the text of REPLY, FAILED, LOG and METRIC, which is the rest of the payload. Neither side makes
 * values of JSON to speak this protocol.
 *
 * A BATCH calls several hooks of one request in order: before_request, process_endpoint and
 * after_response. Its detail names two or three consecutive ones. The runner answers each hook with a
 * frame of its own. It calls the next hook only when before_request left the request unchanged (EMPTY) or
 * returned a patch that the runner can apply to its documents (request_patch.h), and when the endpoint's
 * answer is JSON that is sent unchanged (PLAIN), which then completes the response document. MORE on an
 * answer says that the runner calls the next hook.
 *
 *   server ─▶ HELLO  [SANDBOX]  LOAD  INITIALIZE  (CALL | BATCH | HEALTH_CHECK | RECONFIGURE)*  SHUTDOWN
 *   runner ─▶ HELLO  [READY]  LOADED  STATUS  (REPLY | EMPTY | STATUS | FAILED | LOG | METRIC | REFUSED)*  STATUS
 *
 * Descriptor 5 is a socket with the same frames, for requests of the plugin to the server. The runner
 * sends a request and reads its answer, with the same id, before it sends another request. With call
 * threads, a request names the call whose thread sends it.
 *
 * Without SANDBOX, the library is not restricted and its crashes are not reported. With SANDBOX, CRASHED
 * may come at any moment; it is the runner's last frame.
 *
 * SPDX-License-Identifier: MIT
 */
import type { AbiFunction, Hook } from '../plugin.js';

export const PROTOCOL_VERSION = 4;
export const FRAME_HEADER_SIZE = 16;
export const FRAME_PAYLOAD_MAX = 16 * 1024 * 1024;
export const LOG_TEXT_MAX = 8 * 1024;
/** @internal exported for its test, which compares it with protocol.h */
export const THREADS_MAX = 64;
/** How deep a PLAIN answer may nest. */
export const JSON_DEPTH_MAX = 100;
/** The longest patch of a request, in bytes, that the runner applies itself. */
export const RUNNER_PATCH_MAX = 4096;
/** The longest key and value of a key-value space, in bytes. */
export const KV_KEY_MAX = 1024;
export const KV_VALUE_MAX = 1024 * 1024;

/** The memory shared with the runner, descriptor 4; see protocol.h. */
export const Shared = {
  BEGUN: 0,
  PRODUCED: 8,
  LOG_RATE: 24,
  ENDED_BY: 28,
  RUNNING: 64,
  CANCELLED: 4096,
  RING: 20480,
  SIZE: 86016,
} as const;
export const RUNNING_SLOT_SIZE = 16;
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
  BATCH: 9,
} as const;

/** Where a runner loads a library from; see protocol.h. */
export const LoadFrom = { PATH: 0, DESCRIPTOR: 1, SAME_FILE: 2 } as const;
export type LoadFrom = (typeof LoadFrom)[keyof typeof LoadFrom];

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
  REFUSED: 75,
} as const;

/** Frames on descriptor 5. The runner sends a request and the server answers, one at a time. */
export const ServiceFrame = {
  OPERATION: 97,
  ANSWER: 98,
  NO_ANSWER: 99,
  KV_GET: 100,
  KV_SET: 101,
  HTTP_FETCH: 102,
} as const;

/** The `detail` of CALL. */
export const HOOK_NUMBER: Readonly<Record<Hook, number>> = {
  before_request: 0,
  after_response: 1,
  process_endpoint: 2,
  call: 3,
};

/** The hooks a BATCH calls, in this order; its `detail` is their sum. */
export const BatchStep = {
  BEFORE_REQUEST: 1 << 0,
  PROCESS_ENDPOINT: 1 << 1,
  AFTER_RESPONSE: 1 << 2,
} as const;

/** The `detail` of REPLY and EMPTY. */
export const AnswerFlag = {
  MORE: 1 << 0,
  PLAIN: 1 << 1,
} as const;

/** The `detail` of FAILED. */
export const Failure = {
  LOAD: 1,
  NOT_IMPLEMENTED: 2,
  REPLY_TOO_LARGE: 3,
  ABI: 4,
  OUT_OF_MEMORY: 5,
  SANDBOX: 6,
  CANCELLED: 7,
  THREADS: 8,
  PLUGIN: 9,
} as const;

/** The `detail` of REFUSED: the permission that would allow the operation. */
export const Permission = {
  NEVER: 0,
  FILESYSTEM_READ: 1,
  FILESYSTEM_WRITE: 2,
  NETWORK_CONNECT: 3,
  NETWORK_LISTEN: 4,
  NETWORK_UDP: 5,
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

/** Sentences for the runner's exit codes. */
export const RUNNER_EXIT: Readonly<Record<number, string>> = {
  64: 'the runner was started with wrong arguments',
  71: 'the runner ran out of memory',
  74: 'the connection to the runner failed',
  75: 'the library could not be loaded',
  76: 'the runner received an invalid frame from the server',
  77: 'the server had ended before the runner began',
  78: 'the sandbox could not be set up',
};
