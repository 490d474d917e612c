import net, { type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ConnectionsConfig, Http2Config, ProxyProtocolConfig } from '../config/types.js';
import type { Log } from '../log.js';
import type { RemoteAddress } from '../pipeline/documents/incoming-request.js';
import type { Certificates } from '../tls/certificates.js';
import { Http1Server, type Serve } from './http1-server.js';
import { Http2Server } from './http2-server.js';
import { chooseByPreface } from './http2-preface.js';
import { remoteOf } from './peer.js';
import { ProxyFront } from './proxy-front.js';
import { createTlsServer } from './tls-server.js';

export interface ServersOptions {
  readonly tls?: Certificates | null;
  readonly http2?: Http2Config;
  readonly proxyProtocol?: ProxyProtocolConfig;
  readonly log: Log;
}

type Accept = (socket: Socket) => void;

/**
 * The servers behind one address. A connection passes those that the configuration wants, in this order: the reader
 * of the PROXY protocol, the TLS server, the reader of the first bytes that tells HTTP/2 from HTTP/1, and the server
 * of one of both. If none of the first three is wanted, the HTTP/1 server accepts connections itself.
 */
export class Servers {
  /** Accepts the connections. */
  readonly front: Server;
  private readonly http1: Http1Server;
  private readonly http2: Http2Server | null;
  /** Connections that the front has accepted, if it is not the HTTP/1 server. */
  private readonly accepted = new Set<Socket>();

  constructor(serve: Serve, limits: ConnectionsConfig, options: ServersOptions) {
    const { tls = null, http2, proxyProtocol, log } = options;
    this.http1 = new Http1Server(serve, limits, log);
    const isWanted =
      http2 !== undefined && (http2.accept === 'always' || (http2.accept === 'with-tls' && tls !== null));
    this.http2 = isWanted ? new Http2Server(serve, http2, limits, log) : null;
    const proxies =
      proxyProtocol === undefined || proxyProtocol.addresses.length === 0
        ? null
        : new ProxyFront(proxyProtocol, log);
    this.front = this.createFront(limits, tls, proxies, log);
    if (this.front === this.http1.server) return;
    this.http1.serveGiven();
    this.front.on('connection', (socket: Socket) => {
      this.accepted.add(socket);
      socket.once('close', () => this.accepted.delete(socket));
    });
  }

  /** Closes connections that are idle or whose clients have stopped reading. Call about once a second. */
  sweep(): void {
    this.http1.sweep();
    this.http2?.sweep();
  }

  /** Serves for `delayMs`, then finishes requests in flight for at most `timeoutMs`. */
  async close(delayMs: number, timeoutMs: number): Promise<void> {
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    const closed = new Promise<void>((resolve) => this.front.close(() => resolve()));
    this.http1.drain();
    this.http2?.drain();
    const deadline = setTimeout(() => {
      this.http1.destroy();
      this.http2?.destroy();
      for (const socket of this.accepted) socket.destroy();
    }, timeoutMs);
    await closed;
    this.http1.stop();
    clearTimeout(deadline);
  }

  private createFront(
    limits: ConnectionsConfig,
    certificates: Certificates | null,
    proxies: ProxyFront | null,
    log: Log,
  ): Server {
    const { http1, http2 } = this;
    const giveHttp1: Accept = (socket) => http1.give(socket);
    if (certificates !== null) {
      const clientOf = (socket: Socket): RemoteAddress | null =>
        proxies?.clientOf(socket) ?? remoteOf(socket);
      const accept = (socket: TLSSocket): void =>
        http2 !== null && socket.alpnProtocol === 'h2' ? http2.give(socket) : http1.give(socket);
      const protocols = http2 === null ? ['http/1.1'] : ['h2', 'http/1.1'];
      const secure = createTlsServer(certificates, protocols, accept, clientOf, log);
      if (proxies === null) return secure;
      return createFront(
        (socket) => proxies.accept(socket, (read) => secure.emit('connection', read)),
        false,
      );
    }
    const plain: Accept =
      http2 === null
        ? giveHttp1
        : (socket) =>
            chooseByPreface(socket, limits.headerTimeoutMs, giveHttp1, (chosen) => http2.give(chosen));
    if (proxies !== null) return createFront((socket) => proxies.accept(socket, plain), true);
    return http2 === null ? http1.server : createFront(plain, true);
  }
}

function createFront(accept: Accept, allowHalfOpen: boolean): Server {
  return net.createServer({ allowHalfOpen, noDelay: true }, accept);
}
