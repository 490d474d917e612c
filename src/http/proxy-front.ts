import type { Socket } from 'node:net';
import type { ProxyProtocolConfig } from '../config/types.js';
import type { Log } from '../log.js';
import type { RemoteAddress } from '../pipeline/documents/incoming-request.js';
import { AddressSet } from './address-set.js';
import { type Decision, readFirstBytes } from './first-bytes.js';
import { remoteOf, setPeer } from './peer.js';
import { readProxyHeader } from './proxy-protocol.js';

/** At most one warning about headers that cannot be read is logged in this time. */
const WARNING_MS = 60_000;

/** Reads the headers of the PROXY protocol in front of connections from load balancers. */
export class ProxyFront {
  private readonly balancers: AddressSet;
  /** What balancers stated, by the connection: a TLS socket does not tell which TCP socket it uses. */
  private readonly clients = new Map<string, RemoteAddress>();
  private warnedAtMs = -Infinity;

  constructor(
    private readonly config: ProxyProtocolConfig,
    private readonly log: Log,
  ) {
    this.balancers = new AddressSet(config.addresses);
  }

  /** Reads the header, if the connection comes from a balancer, and gives the connection on. */
  accept(socket: Socket, next: (socket: Socket) => void): void {
    const from = remoteOf(socket);
    if (from === null) {
      socket.destroy();
      return;
    }
    if (!this.balancers.has(from.address)) {
      next(socket);
      return;
    }
    readFirstBytes(socket, this.config.timeoutMs, (bytes): Decision => {
      const header = readProxyHeader(bytes);
      if (header === 'more') return header;
      if (header === 'invalid') return { taken: bytes.length, accept: () => this.refuse(socket, from) };
      const { length, client } = header;
      if (client !== null) this.state(socket, client);
      return { taken: length, accept: next };
    });
  }

  /** The client of a connection: what the balancer stated, or the other end. */
  clientOf(socket: Socket): RemoteAddress | null {
    return this.clients.get(keyOf(socket)) ?? remoteOf(socket);
  }

  private state(socket: Socket, client: RemoteAddress): void {
    const key = keyOf(socket);
    this.clients.set(key, client);
    socket.once('close', () => this.clients.delete(key));
    setPeer(socket, { remote: client, scheme: 'http', tlsJson: null });
  }

  private refuse(socket: Socket, { address }: RemoteAddress): void {
    socket.destroy();
    const now = performance.now();
    if (now - this.warnedAtMs < WARNING_MS) return;
    this.warnedAtMs = now;
    const message = `connections from ${address} do not begin with a header of the PROXY protocol, and are closed`;
    this.log.warn(
      { remote: address },
      `${message} — enable it in the load balancer, or correct server.proxy_protocol`,
    );
  }
}

/** No two open connections have the same. */
function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
