import type { Socket } from 'node:net';
import type { KillReason } from '../process/exit-cause.js';
import { FrameError, FrameParser, FrameWriter } from '../protocol/frames.js';
import type { AskingCall, NativeReply, OperationRequest } from '../plugin.js';
import { SERVICE_PAYLOADS } from '../protocol/frame-budgets.js';
import { FRAME_HEADER_SIZE, ServiceFrame } from '../protocol/protocol.js';

export interface HostServicesOptions {
  /** The running call with that id; null when there is none. */
  readonly callOf: (number: number) => AskingCall | null;
  /** Performs an operation that a plugin requests; null for no answer. Never rejects. */
  readonly operate: (request: OperationRequest, caller: AskingCall | null) => Promise<NativeReply>;
  /** The runner broke the protocol. */
  readonly broken: (reason: NonNullable<KillReason>) => void;
}

const WINDOW_MS = 1000;
/** A call may end while a request of it is on its way. More than these in a second no honest plugin sends. */
const REQUESTS_OUTSIDE_CALLS_MAX = 100;

/**
 * The server's end of a runner's second socket. Requests come one at a time. The next one is read when the
 * plugin has taken the answer to the one before, so that answers nobody reads do not pile up in the server.
 */
export class HostServices {
  private readonly parser = new FrameParser(SERVICE_PAYLOADS, (...frame) => this.onFrame(...frame));
  private waiting = false;
  private outside = { sinceMs: -Infinity, requests: 0 };
  private ended = false;

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
    this.socket.destroy();
  }

  private parse(bytes: Buffer): void {
    if (this.ended) return;
    try {
      this.parser.push(bytes);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.close();
      this.options.broken({ kind: 'protocol', message: error.message });
    }
  }

  private onFrame(_type: number, id: number, _detail: number, value: number, payload: Buffer): void {
    if (this.waiting) throw new FrameError('a request before the one before was answered');
    const request = readRequest(payload);
    const caller = this.options.callOf(value >>> 0);
    if (caller === null) this.countOutsideCall();
    this.waiting = true;
    this.socket.pause();
    void this.options.operate(request, caller).then((reply) => {
      if (this.ended) return;
      this.socket.write(answerFrame(id, reply), () => {
        this.waiting = false;
        this.socket.resume();
      });
    });
  }

  /** @throws FrameError when the plugin asks too often while none of its hooks runs */
  private countOutsideCall(): void {
    const nowMs = performance.now();
    if (nowMs - this.outside.sinceMs >= WINDOW_MS) this.outside = { sinceMs: nowMs, requests: 0 };
    this.outside.requests += 1;
    if (this.outside.requests > REQUESTS_OUTSIDE_CALLS_MAX)
      throw new FrameError(`more than ${REQUESTS_OUTSIDE_CALLS_MAX} requests in a second outside of a call`);
  }
}

/** @throws FrameError unless the payload is three strings, each ended by a NUL byte */
function readRequest(payload: Buffer): OperationRequest {
  const [plugin, operation, text, rest] = payload.toString().split('\0');
  if (plugin === undefined || operation === undefined || text === undefined || rest !== '')
    throw new FrameError('a request that is not three strings');
  return { plugin: plugin === '' ? null : plugin, operation, payload: text };
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
