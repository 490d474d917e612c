import type { Socket } from 'node:net';
import type { KillReason } from '../process/exit-cause.js';
import { FrameError, FrameParser, FrameWriter } from '../protocol/frames.js';
import {
  type FetchLimits,
  type KeyValues,
  KvStatus,
  type NativeReply,
  type OperationRequest,
  type RequestingCall,
} from '../plugin.js';
import { SERVICE_PAYLOADS } from '../protocol/frame-budgets.js';
import { FRAME_HEADER_SIZE, ServiceFrame } from '../protocol/protocol.js';
import { readOperation, readText, readWrite } from './service-requests.js';

/** A function of the plugin that is running. */
interface RunningFunction extends RequestingCall {
  /** `performance.now()` milliseconds; absent without a deadline. */
  readonly deadlineAtMs?: number;
}

export interface HostServicesOptions {
  /** The running call of a hook with that id; null when there is none. */
  readonly callOf: (number: number) => RequestingCall | null;
  /** The running function with that id, also initialize() and others that are no hooks; null when there is none. */
  readonly runningOf: (number: number) => RunningFunction | null;
  /** Performs an operation that a plugin requests; null for no answer. Never rejects. */
  readonly operate: (request: OperationRequest, caller: RequestingCall | null) => Promise<NativeReply>;
  /** Performs an HTTP request. Never rejects. */
  readonly fetch: (requestJson: string, limits: FetchLimits) => Promise<string>;
  /** The plugin's key-value space. */
  readonly keyValues: KeyValues;
  /** The runner broke the protocol. */
  readonly broken: (reason: NonNullable<KillReason>) => void;
}

const WINDOW_MS = 1000;
/** Requests per second while no function of the plugin runs. A call may end while its request is on the way, but not this often. */
const REQUESTS_OUTSIDE_CALLS_MAX = 100;

/** Limits per call, and per second of a process. Each 64 KiB of a request counts as one request. */
const REQUESTS_PER_CALL_MAX = 10_000;
const REQUESTS_PER_SECOND_MAX = 50_000;
const REQUEST_UNIT_BYTES = 64 * 1024;

/**
 * The server's end of a runner's second socket. Requests come one at a time. The server reads the next
 * request after the plugin has read the previous answer, so that unread answers do not pile up.
 */
export class HostServices {
  private readonly parser = new FrameParser(SERVICE_PAYLOADS, (...frame) => this.onFrame(...frame));
  private answering = false;
  private window = { sinceMs: -Infinity, inside: 0, outside: 0 };
  private readonly ofCall = new WeakMap<RequestingCall, number>();
  private ended = false;
  private readonly closing = new AbortController();

  constructor(
    private readonly socket: Socket,
    private readonly options: HostServicesOptions,
  ) {
    socket.on('data', (chunk: Buffer) => this.parse(chunk));
    socket.on('error', () => {
      // A broken socket means that the process is ending; its exit is reported.
    });
  }

  close(): void {
    this.ended = true;
    this.closing.abort();
    this.socket.destroy();
  }

  private parse(bytes: Buffer): void {
    if (this.ended) return;
    try {
      this.parser.push(bytes);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      // The process is killed first: otherwise it could see the closed socket and still answer its call.
      this.options.broken({ kind: 'protocol', message: error.message });
      this.close();
    }
  }

  private onFrame(type: number, id: number, _detail: number, value: number, payload: Buffer): void {
    if (this.answering) throw new FrameError('a request before the previous request was answered');
    const running = this.options.runningOf(value >>> 0);
    this.count(running, 1 + Math.floor(payload.length / REQUEST_UNIT_BYTES));
    this.answering = true;
    this.socket.pause();
    const answer = this.perform(type, value >>> 0, running, payload);
    if (!(answer instanceof Promise)) this.answer(id, answer);
    else void answer.catch(() => null).then((reply) => this.answer(id, reply));
  }

  /** @throws FrameError when the request is malformed */
  private perform(
    type: number,
    call: number,
    running: RunningFunction | null,
    payload: Buffer,
  ): NativeReply | Promise<NativeReply> {
    const { operate, callOf, keyValues } = this.options;
    if (type === ServiceFrame.HTTP_FETCH) return this.fetch(readText(payload), running);
    if (type === ServiceFrame.OPERATION) return operate(readOperation(payload), callOf(call));
    if (type === ServiceFrame.KV_GET) {
      const key = readText(payload);
      return key === null ? null : keyValues.get(key);
    }
    const { key, value, ttlSeconds } = readWrite(payload);
    if (key === null || value === null) return String(KvStatus.INVALID);
    return String(keyValues.set(key, value ?? null, ttlSeconds));
  }

  private fetch(request: string | null, running: RunningFunction | null): string | Promise<string> {
    if (request === null) return fetchError('the request is not UTF-8');
    if (running === null) return fetchError('no call of the plugin is running');
    const { deadlineAtMs = Infinity } = running;
    return this.options.fetch(request, { deadlineAtMs, signal: this.closing.signal });
  }

  private answer(id: number, reply: NativeReply): void {
    if (this.ended) return;
    this.socket.write(answerFrame(id, reply), () => {
      this.answering = false;
      this.socket.resume();
    });
  }

  /** @throws FrameError when the plugin sends too many requests. @param units how many this one counts as */
  private count(caller: RequestingCall | null, units: number): void {
    const nowMs = performance.now();
    if (nowMs - this.window.sinceMs >= WINDOW_MS) this.window = { sinceMs: nowMs, inside: 0, outside: 0 };
    const { window } = this;
    if (caller === null) window.outside += units;
    else window.inside += units;
    if (window.outside > REQUESTS_OUTSIDE_CALLS_MAX)
      throw new FrameError(`more than ${REQUESTS_OUTSIDE_CALLS_MAX} requests in a second outside a call`);
    if (window.inside > REQUESTS_PER_SECOND_MAX)
      throw new FrameError(`more than ${REQUESTS_PER_SECOND_MAX} requests in a second`);
    if (caller === null) return;
    const ofCall = (this.ofCall.get(caller) ?? 0) + units;
    this.ofCall.set(caller, ofCall);
    if (ofCall > REQUESTS_PER_CALL_MAX)
      throw new FrameError(`more than ${REQUESTS_PER_CALL_MAX} requests in one call`);
  }
}

/** The document of http_fetch() for a request that was not made. */
export function fetchError(error: string): string {
  return JSON.stringify({ error });
}

function answerFrame(id: number, reply: NativeReply): Buffer {
  const writer = new FrameWriter();
  writer.add(reply === null ? ServiceFrame.NO_ANSWER : ServiceFrame.ANSWER, id, 0, 0, []);
  const header = Buffer.concat(writer.take());
  if (reply === null) return header;
  const body = typeof reply === 'string' ? Buffer.from(reply) : reply;
  header.writeUInt32LE(body.length);
  return Buffer.concat([header, body], FRAME_HEADER_SIZE + body.length);
}
