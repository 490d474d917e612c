import type { Socket } from 'node:net';
import { type Decision, readFirstBytes } from './first-bytes.js';

/** How a connection begins whose client knows that the server speaks HTTP/2 (RFC 9113 section 3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Gives a connection without TLS to the server of the protocol that its first bytes belong to. */
export function chooseByPreface(
  socket: Socket,
  timeoutMs: number,
  http1: (socket: Socket) => void,
  http2: (socket: Socket) => void,
): void {
  readFirstBytes(socket, timeoutMs, (bytes): Decision => {
    const length = Math.min(bytes.length, PREFACE.length);
    if (bytes.compare(PREFACE, 0, length, 0, length) !== 0) return { taken: 0, accept: http1 };
    return length < PREFACE.length ? 'more' : { taken: 0, accept: http2 };
  });
}
