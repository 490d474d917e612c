import type { Socket } from 'node:net';
import type { KillReason } from '../process/exit-cause.js';
import { FrameError, FrameParser, FrameWriter } from '../protocol/frames.js';
import type { NativeReply, OperationRequest } from '../plugin.js';
import { FRAME_HEADER_SIZE, FRAME_PAYLOAD_MAX, ServiceFrame } from '../protocol/protocol.js';

export interface HostServicesOptions {
  /**
   * Performs what a plugin asks for; null for no answer. Never rejects.
   * @param call the number of the call that asks; 0 when the runner does not say
   */
  readonly operate: (request: OperationRequest, call: number) => Promise<NativeReply>;
  /** The runner broke the rules. */
  readonly broken: (reason: NonNullable<KillReason>) => void;
}

/** The server's end of a runner's second socket: one request at a time, each answered. */
export class HostServices {
  private readonly parser = new FrameParser(FRAME_PAYLOAD_MAX, (...frame) => this.onFrame(...frame), [
    ServiceFrame.OPERATION,
    ServiceFrame.OPERATION,
  ]);
  private waiting = false;
  private ended = false;

  constructor(
    private readonly socket: Socket,
    private readonly options: HostServicesOptions,
  ) {
    socket.on('data', (chunk: Buffer) => this.parse(chunk));
    socket.on('error', () => {
      // A broken socket means a process that is ending; its exit is what counts.
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
    this.waiting = true;
    void this.options.operate(request, value >>> 0).then((reply) => {
      this.waiting = false;
      if (!this.ended) this.socket.write(answerFrame(id, reply));
    });
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
