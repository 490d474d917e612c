import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RemoteAddress } from '../pipeline/documents/incoming-request.js';

/** The other end of a connection. */
export interface Peer {
  /** Null when the client has disconnected before it was asked for. */
  readonly remote: RemoteAddress | null;
  readonly scheme: 'http' | 'https';
  /** The member `tls` of request documents as JSON; null when the client has no certificate. */
  readonly tlsJson: string | null;
}

/** A request in flight. */
export interface Cancellable {
  cancel(): void;
}

/** Where a request came from. Requests in flight are cancelled when the client goes away. */
export interface Client {
  readonly peer: Peer;
  begin(request: Cancellable): void;
  end(request: Cancellable): void;
  /** Makes a response the last one of its connection, if the connection carries nothing else meanwhile. */
  closeAfter(outgoing: ServerResponse): void;
}

const PEER = Symbol('the other end of a socket');
const CLIENT = Symbol('the client of a request');

type MarkedSocket = Socket & { [PEER]?: Peer };
type MarkedRequest = IncomingMessage & { [CLIENT]?: Client };

/** States who is at the other end of a socket, if the socket itself does not tell. */
export function setPeer(socket: MarkedSocket, peer: Peer): void {
  socket[PEER] = peer;
}

export function socketPeer(socket: MarkedSocket): Peer {
  const known = socket[PEER];
  if (known !== undefined) return known;
  return { remote: remoteOf(socket), scheme: 'http', tlsJson: null };
}

/** The address at the other end of a TCP connection. */
export function remoteOf({ remoteAddress, remotePort }: Socket): RemoteAddress | null {
  return remoteAddress === undefined ? null : { address: remoteAddress, port: remotePort ?? 0 };
}

/** States the client of a request that shares its connection with other requests. */
export function setClient(incoming: MarkedRequest, client: Client): void {
  incoming[CLIENT] = client;
}

export function statedClient(incoming: MarkedRequest): Client | undefined {
  return incoming[CLIENT];
}

export function peerOf(incoming: IncomingMessage): Peer {
  return statedClient(incoming)?.peer ?? socketPeer(incoming.socket);
}
