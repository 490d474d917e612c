import { once } from 'node:events';
import http2, { type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders } from 'node:http2';
import net from 'node:net';

export interface Http2Answer {
  readonly status: number;
  readonly headers: http2.IncomingHttpHeaders;
  readonly trailers: http2.IncomingHttpHeaders;
  readonly body: string;
}

/** Connects to a server with prior knowledge. An error of the connection is left to its streams. */
export function connect(url: string, options: http2.SecureClientSessionOptions = {}): ClientHttp2Session {
  return http2.connect(url, options).on('error', () => undefined);
}

/** Waits for the answer on a stream. @throws when the server resets the stream */
export async function answerOn(stream: ClientHttp2Stream): Promise<Http2Answer> {
  let body = '';
  let trailers: http2.IncomingHttpHeaders = {};
  stream.setEncoding('utf8').on('data', (text: string) => (body += text));
  stream.on('trailers', (received: http2.IncomingHttpHeaders) => (trailers = received));
  const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
  if (!stream.readableEnded) await once(stream, 'end');
  return { status: Number(headers[':status']), headers, trailers, body };
}

/** Sends one request and waits for its answer. */
export function request(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: string | Buffer,
): Promise<Http2Answer> {
  const stream = session.request(headers, { endStream: body === undefined });
  const answer = answerOn(stream);
  if (body !== undefined) stream.end(body);
  return answer;
}

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** A frame of HTTP/2 (RFC 9113 section 4.1). */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export const FRAME = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  continuation: 9,
} as const;
export const END_STREAM = 1;
export const END_HEADERS = 4;

/** HPACK: a header of three pseudo-headers and a path of at most 126 characters. */
export function requestBlock(method: 'GET' | 'POST', path: string): Buffer {
  const head = Buffer.from([method === 'GET' ? 0x82 : 0x83, 0x86, 0x41, 0x01, 0x68, 0x04, path.length]);
  return Buffer.concat([head, Buffer.from(path)]);
}

/** A client that writes its own frames. */
export class RawClient {
  readonly socket: net.Socket;
  readonly closed: Promise<void>;
  private received = Buffer.alloc(0);

  constructor(port: number, preface: string | Buffer = PREFACE) {
    this.socket = net.connect(port, '127.0.0.1');
    this.socket.on('error', () => undefined);
    this.socket.on('data', (chunk: Buffer) => (this.received = Buffer.concat([this.received, chunk])));
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
    this.socket.write(preface);
    if (preface === PREFACE) this.socket.write(frame(FRAME.settings, 0, 0));
  }

  send(...frames: readonly Buffer[]): void {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(frames));
  }

  /** The frames that have arrived completely: type, flags, stream and payload. */
  frames(): { type: number; flags: number; stream: number; payload: Buffer }[] {
    const frames = [];
    for (let at = 0; at + 9 <= this.received.length;) {
      const length = this.received.readUIntBE(at, 3);
      if (at + 9 + length > this.received.length) break;
      frames.push({
        type: this.received[at + 3]!,
        flags: this.received[at + 4]!,
        stream: this.received.readUInt32BE(at + 5) & 0x7fffffff,
        payload: this.received.subarray(at + 9, at + 9 + length),
      });
      at += 9 + length;
    }
    return frames;
  }

  /** The error code of the last GOAWAY frame; undefined when none has arrived. */
  goawayCode(): number | undefined {
    return this.frames()
      .filter(({ type }) => type === FRAME.goaway)
      .at(-1)
      ?.payload.readUInt32BE(4);
  }
}
