import type { IncomingMessage, ServerResponse } from 'node:http';
import http2, {
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { ConnectionsConfig, Http2Config } from '../config/types.js';
import type { Log } from '../log.js';
import { awaitContinue } from './body.js';
import type { Serve } from './http1-server.js';
import { Http2Connection } from './http2-connection.js';

const HEADER_TOO_LARGE = 431;
const NOT_IMPLEMENTED = 501;

/** Serves HTTP/2 on connections that it is given. */
export class Http2Server {
  private readonly server: http2.Http2Server;
  private readonly connections = new Map<ServerHttp2Session, Http2Connection>();
  /** The connection that is being given. */
  private given: Socket | null = null;
  private draining = false;

  constructor(
    serve: Serve,
    { maxStreams }: Http2Config,
    private readonly limits: ConnectionsConfig,
    private readonly log: Log,
  ) {
    this.server = http2.createServer({
      settings: { maxConcurrentStreams: maxStreams, maxHeaderListSize: limits.headerLimitBytes },
      // Frames that break the protocol without ending the session, such as DATA frames without data.
      maxSessionInvalidFrames: 100,
      // Requests beyond maxConcurrentStreams.
      maxSessionRejectedStreams: 100,
      maxSessionMemory: 10,
      maxHeaderListPairs: 128,
      maxSettings: 32,
    });
    this.server.on('session', (session) => this.open(session));
    this.server.on('sessionError', (error: Error) =>
      log.debug({ err: error }, 'an HTTP/2 connection failed'),
    );
    const admit = (incoming: Http2ServerRequest, outgoing: Http2ServerResponse, waits: boolean): void => {
      const { session } = incoming.stream;
      // The client has gone away in the meantime.
      if (session === undefined) return;
      // The compatibility classes of Node have what the server uses of the classes for HTTP/1.
      const [asIncoming, asOutgoing] = [incoming, outgoing] as unknown as [IncomingMessage, ServerResponse];
      // Node enforces maxHeaderListSize only for clients that have acknowledged it.
      if (headerBytes(asIncoming.rawHeaders) > limits.headerLimitBytes) {
        outgoing.writeHead(HEADER_TOO_LARGE).end();
        return;
      }
      if (waits) awaitContinue(asIncoming, asOutgoing);
      this.connections.get(session as ServerHttp2Session)?.admit(asIncoming, asOutgoing, serve);
    };
    this.server.on('request', (incoming, outgoing) => admit(incoming, outgoing, false));
    this.server.on('checkContinue', (incoming, outgoing) => admit(incoming, outgoing, true));
    this.server.on('connect', (_incoming: Http2ServerRequest, outgoing: Http2ServerResponse) => {
      outgoing.statusCode = NOT_IMPLEMENTED;
      outgoing.end();
    });
  }

  /** Takes over a connection. */
  give(socket: Socket): void {
    // HTTP/2 has no use for a connection that the client has closed on its side.
    socket.allowHalfOpen = false;
    this.given = socket;
    this.server.emit('connection', socket);
    this.given = null;
  }

  /** Ends connections that are idle or whose clients read nothing. Call about once a second. */
  sweep(): void {
    for (const connection of this.connections.values()) connection.sweep();
  }

  /** Tells clients to send no further requests here. Connections close when their requests are answered. */
  drain(): void {
    this.draining = true;
    for (const connection of this.connections.values()) connection.drain();
  }

  destroy(): void {
    for (const connection of this.connections.values()) connection.destroy();
  }

  private open(session: ServerHttp2Session): void {
    const socket = this.given!;
    const connection = new Http2Connection(session, socket, this.limits, this.log);
    this.connections.set(session, connection);
    session.once('close', () => this.connections.delete(session));
    if (this.draining) connection.drain();
  }
}

/** The size of a header as HTTP/2 counts it (RFC 9113 section 6.5.2). */
function headerBytes(lines: readonly string[]): number {
  let bytes = 16 * lines.length;
  for (const text of lines) bytes += text.length;
  return bytes;
}
