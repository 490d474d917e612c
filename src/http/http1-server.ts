import http from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionsConfig } from '../config/types.js';
import type { Log } from '../log.js';
import { awaitContinue } from './body.js';
import { Connection } from './connection.js';

const SERVER_OPTIONS: http.ServerOptions = {
  // The body has its own timeout, between two reads, so that a long upload may take its time.
  requestTimeout: 0,
  // Node's default is 30 s: a client that sends headers byte by byte would keep its connection for 45 s.
  connectionsCheckingInterval: 1000,
  // acceptHead() refuses such a request with a problem document.
  requireHostHeader: false,
};
const NO_TUNNEL = 'HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
const IDLE_CHECK_MS = 50;

/** Answers a request. */
export type Serve = (incoming: http.IncomingMessage, outgoing: http.ServerResponse) => void;

/** Serves HTTP/1 on connections: those that it accepts itself, or those that it is given. */
export class Http1Server {
  readonly server: http.Server;
  private readonly connections = new Set<Connection>();
  private idleCheck: NodeJS.Timeout | undefined;

  constructor(
    serve: Serve,
    private readonly limits: ConnectionsConfig,
    log: Log,
  ) {
    const { headerLimitBytes, headerTimeoutMs, keepAliveTimeoutMs, maxRequests } = limits;
    const requestsMax = maxRequests === 0 ? Infinity : maxRequests;
    const admit = (incoming: http.IncomingMessage, outgoing: http.ServerResponse): void =>
      Connection.of(incoming.socket).admit(incoming, outgoing, serve, requestsMax);
    const options = {
      ...SERVER_OPTIONS,
      headersTimeout: headerTimeoutMs,
      keepAliveTimeout: keepAliveTimeoutMs,
      maxHeaderSize: headerLimitBytes,
    };
    this.server = http.createServer(options, admit);
    this.server.on('checkContinue', (incoming: http.IncomingMessage, outgoing: http.ServerResponse) => {
      awaitContinue(incoming, outgoing);
      admit(incoming, outgoing);
    });
    this.server.on('connect', (_incoming, socket: Socket) => Connection.of(socket).endWith(NO_TUNNEL));
    this.server.on('connection', (socket: Socket) => {
      const connection = Connection.of(socket);
      this.connections.add(connection);
      socket.once('close', () => this.connections.delete(connection));
    });
    this.server.on('timeout', (socket: Socket) => Connection.of(socket).timedOut(log));
  }

  /** Call once if another server accepts the connections: the limits of idle and slow clients begin with it. */
  serveGiven(): void {
    this.server.emit('listening');
  }

  /** Takes over a connection. */
  give(socket: Socket): void {
    this.server.emit('connection', socket);
  }

  /** Closes connections whose clients have stopped reading. Call about once a second. */
  sweep(): void {
    for (const connection of this.connections) connection.expectProgress(this.limits.writeTimeoutMs);
  }

  /**
   * Closes idle connections, now and while others become idle. Connections with requests in flight close with the
   * last response.
   */
  drain(): void {
    for (const connection of this.connections) connection.drain();
    this.server.closeIdleConnections();
    this.idleCheck = setInterval(() => this.server.closeIdleConnections(), IDLE_CHECK_MS);
  }

  /** Call when every connection has closed. */
  stop(): void {
    clearInterval(this.idleCheck);
    this.server.close();
  }

  destroy(): void {
    this.server.closeAllConnections();
  }
}
