import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { ConnectionsConfig } from '../config/types.js';
import type { Log } from '../log.js';
import type { Serve } from './http1-server.js';
import { http2Stream } from './http2-stream.js';
import { type Cancellable, type Client, type Peer, setClient, socketPeer } from './peer.js';

const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_NO_ERROR } = constants;

/** The stream that a GOAWAY frame names to announce, before the last stream is known, that the connection closes. */
const ANY_STREAM = 2 ** 31 - 1;
/** A client that has sent requests before it read that announcement gets them answered. */
const NOTICE_MS = 500;
/** How long a client may take to close its side of a connection that the server has closed. */
const LINGER_MS = 1000;
/** The window in which the two limits below count. */
const WINDOW_MS = 10_000;
/**
 * Requests that a client may take back before it has their answers. Each costs the server as much as one that is
 * answered (CVE-2023-44487).
 * @internal exported for its test
 */
export const CANCELLED_MAX = 200;
/**
 * SETTINGS frames of a client. Ordinary ones send one or two.
 * @internal exported for its test
 */
export const SETTINGS_MAX = 100;

/** A client's HTTP/2 connection and its requests. */
export class Http2Connection {
  private readonly peer: Peer;
  /** Requests whose streams are open. */
  private readonly streams = new Set<ServerHttp2Stream>();
  /** Streams whose clients have had bytes to read, with a timer. */
  private readonly timed = new WeakSet<ServerHttp2Stream>();
  private requests = 0;
  private idleSinceMs = performance.now();
  private closedAtMs: number | null = null;
  private windowEndsAtMs = 0;
  private cancelled = 0;
  private settings = 0;

  constructor(
    private readonly session: ServerHttp2Session,
    private readonly socket: Socket,
    private readonly limits: ConnectionsConfig,
    private readonly log: Log,
  ) {
    this.peer = socketPeer(socket);
    session.on('remoteSettings', () => this.countSettings());
    // A request that its client took back before the server saw it is not given to admit().
    session.on('stream', (stream) => {
      if (stream.closed) this.countCancelled();
    });
  }

  /** Serves a request. It is cancelled when its stream closes before it is answered. */
  admit(incoming: IncomingMessage, outgoing: ServerResponse, serve: Serve): void {
    const stream = http2Stream(incoming)!;
    const client = new StreamClient(this.peer);
    setClient(incoming, client);
    this.streams.add(stream);
    stream.once('close', () => {
      this.streams.delete(stream);
      if (this.streams.size === 0) this.idleSinceMs = performance.now();
      client.cancel();
      if (stream.aborted || stream.rstCode === NGHTTP2_CANCEL) this.countCancelled();
    });
    this.requests += 1;
    if (this.requests === this.limits.maxRequests) this.drain();
    serve(incoming, outgoing);
  }

  /** Ends the connection if it has been idle for too long, and streams whose clients have stopped reading. */
  sweep(): void {
    const { keepAliveTimeoutMs, writeTimeoutMs } = this.limits;
    // Node keeps a connection open whose last header is incomplete, or whose client does not close its side.
    const isClosing = this.closedAtMs !== null && this.streams.size === 0;
    if (isClosing && performance.now() - this.closedAtMs! > LINGER_MS) this.destroy();
    if (this.streams.size === 0) {
      if (performance.now() - this.idleSinceMs > keepAliveTimeoutMs) this.close();
      return;
    }
    for (const stream of this.streams) {
      // The timer of a stream restarts whenever the client takes some of its bytes.
      if (stream.writableLength === 0 || this.timed.has(stream)) continue;
      this.timed.add(stream);
      stream.setTimeout(writeTimeoutMs, () => this.stalled(stream));
    }
  }

  /** Tells the client to send no further requests here; the connection ends with the last response. */
  drain(): void {
    if (this.closedAtMs !== null || this.session.destroyed) return;
    this.session.goaway(NGHTTP2_NO_ERROR, ANY_STREAM);
    const notice = setTimeout(() => this.close(), NOTICE_MS);
    this.session.once('close', () => clearTimeout(notice));
  }

  destroy(): void {
    this.session.destroy();
    this.socket.destroy();
  }

  /** Accepts no further request. The connection ends with the last response. */
  private close(): void {
    if (this.closedAtMs !== null) return;
    this.closedAtMs = performance.now();
    this.session.close();
  }

  /** The timer of a stream expired. The client may have read everything in the meantime. */
  private stalled(stream: ServerHttp2Stream): void {
    const bytes = stream.writableLength;
    if (bytes === 0) return;
    const message = `a client stopped reading while ${bytes} bytes waited for it; its HTTP/2 stream is closed`;
    this.log.debug({ remote: this.peer.remote?.address }, message);
    stream.close(NGHTTP2_CANCEL);
  }

  private countCancelled(): void {
    this.startWindow();
    this.cancelled += 1;
    if (this.cancelled > CANCELLED_MAX) this.refuse(`took back more than ${CANCELLED_MAX} requests`);
  }

  private countSettings(): void {
    this.startWindow();
    this.settings += 1;
    if (this.settings > SETTINGS_MAX) this.refuse(`sent more than ${SETTINGS_MAX} SETTINGS frames`);
  }

  private startWindow(): void {
    const now = performance.now();
    if (now < this.windowEndsAtMs) return;
    this.windowEndsAtMs = now + WINDOW_MS;
    this.cancelled = 0;
    this.settings = 0;
  }

  private refuse(what: string): void {
    if (this.session.destroyed) return;
    const message = `an HTTP/2 client ${what} within ${WINDOW_MS / 1000} s; its connection is closed`;
    this.log.warn({ remote: this.peer.remote?.address }, message);
    this.session.destroy(new Error(message), NGHTTP2_ENHANCE_YOUR_CALM);
  }
}

/** The client of one stream. */
class StreamClient implements Client {
  private request: Cancellable | null = null;

  constructor(readonly peer: Peer) {}

  begin(request: Cancellable): void {
    this.request = request;
  }

  end(): void {
    this.request = null;
  }

  /** Other streams go on, and an open body ends with its stream. */
  closeAfter(): void {}

  cancel(): void {
    this.request?.cancel();
  }
}
