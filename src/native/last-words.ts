import type { Socket } from 'node:net';

/** Answers sent before a process died arrive within this time after its end was noticed. */
const DRAIN_AFTER_END_MS = 50;

/** Goes on when everything was read that a process sent before it ended: maybe more than once. */
export function afterLastWords(socket: Socket, goOn: () => void): void {
  // Its last words on stderr are read in the same turn as the end of its socket, or just after.
  if (socket.readableEnded || socket.destroyed) setImmediate(goOn);
  else {
    // A process that had not read all it was sent leaves its socket reset, not ended.
    for (const last of ['end', 'close']) socket.once(last, () => setImmediate(goOn));
    // After a pause of the server the timer is due before the socket was read.
    setTimeout(() => setImmediate(goOn), DRAIN_AFTER_END_MS);
  }
}
