import type { IncomingMessage, ServerResponse } from 'node:http';
import http2, {
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Log } from '../log.js';
import { awaitContinue } from './body.js';
import type { Serve } from './http1-server.js';
import { Http2Connection } from './http2-connection.js';
import { socketPeer } from './peer.js';

const NOT_IMPLEMENTED = 501;

export interface Http2Limits {
  /** Requests of one connection that may be in flight at once. */
  readonly maxStreams: number;
  readonly headerLimitBytes: number;
  /** How long a connection may have no request. */
  readonly keepAliveTimeoutMs: number;
}

/** Serves HTTP/2 on connections that it is given. */
export class Http2Server {
  private readonly server: http2.Http2Server;
  private readonly connections = new Map<ServerHttp2Session, Http2Connection>();
  /** The connection that is being given. */
  private given: Socket | null = null;
  private draining = false;

  constructor(
    serve: Serve,
    private readonly limits: Http2Limits,
    private readonly log: Log,
  ) {
    const { maxStreams, headerLimitBytes } = limits;
    this.server = http2.createServer({
      settings: { maxConcurrentStreams: maxStreams, maxHeaderListSize: headerLimitBytes },
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
    this.given = socket;
    this.server.emit('connection', socket);
    this.given = null;
  }

  /** Ends connections that are idle or whose clients read nothing. Call about once a second. */
  sweep(writeTimeoutMs: number): void {
    for (const connection of this.connections.values()) connection.sweep(writeTimeoutMs);
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
    const { keepAliveTimeoutMs } = this.limits;
    const connection = new Http2Connection(session, socket, socketPeer(socket), keepAliveTimeoutMs, this.log);
    this.connections.set(session, connection);
    session.once('close', () => this.connections.delete(session));
    if (this.draining) connection.drain();
  }
}
