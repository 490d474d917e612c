import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll } from '@jest/globals';

export interface HostilePeer {
  readonly port: number;
  /** Control ids (MSH-10) of the messages that arrived, in their order. */
  readonly received: string[];
  /** What happens with the next messages. `id` is the control id of the message. */
  answer: (socket: Socket, id: string) => void;
  /** Number of connections so far. */
  connections: number;
  close(): void;
}

/** An acknowledgement as it should be. */
export const acknowledgement = (id: string, code = 'AA', more = ''): string =>
  `MSH|^~\\&|X|X|X|X|20240229||ACK|1|P|2.5\rMSA|${code}|${id}\r${more}`;

export const framed = (message: string): string => `\x0b${message}\x1c\r`;

const peers: HostilePeer[] = [];
// A test that failed has not closed its peer, and jest does not exit while one listens.
afterAll(() => {
  for (const peer of peers) peer.close();
});

/** An MLLP server that does what a test says, on a free port of 127.0.0.1. Closed at the end of the test file at the latest. */
export async function startHostilePeer(): Promise<HostilePeer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    peer.connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
      for (let end = text.indexOf('\x1c\r'); end >= 0; end = text.indexOf('\x1c\r')) {
        const id = text.split('|')[9] ?? '';
        text = text.slice(end + 2);
        peer.received.push(id);
        peer.answer(socket, id);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const peer: HostilePeer = {
    port: (server.address() as AddressInfo).port,
    received: [],
    answer: (socket, id) => void socket.write(framed(acknowledgement(id))),
    connections: 0,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  peers.push(peer);
  return peer;
}
