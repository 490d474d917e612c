import type { Socket } from 'node:net';

/** Answers sent before a process died arrive within this time after its end was noticed. */
const DRAIN_AFTER_END_MS = 50;

/** Calls `drained`, possibly more than once, when everything that an ended process had sent has been read. */
export function drainAnswers(answers: Socket, drained: () => void): void {
  // The rest of stderr is read in the same turn of the event loop as the end of the answers, or just after.
  if (answers.readableEnded || answers.destroyed) setImmediate(drained);
  else {
    // When one socket carries both directions, unread bytes make it end with a reset instead of an end.
    for (const event of ['end', 'close']) answers.once(event, () => setImmediate(drained));
    // After a pause of the server, the timer fires before the answers are read.
    setTimeout(() => setImmediate(drained), DRAIN_AFTER_END_MS);
  }
}
