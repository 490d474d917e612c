import type { Socket } from 'node:net';

/** Answers sent before a process died arrive within this time after its end was noticed. */
const DRAIN_AFTER_END_MS = 50;

/** Goes on when everything was read that a process sent before it ended: maybe more than once. */
export function afterLastWords(answers: Socket, goOn: () => void): void {
  // Its last words on stderr are read in the same turn as the end of its answers, or just after.
  if (answers.readableEnded || answers.destroyed) setImmediate(goOn);
  else {
    // Where one socket carries both ways, what the process had not read leaves it reset, not ended.
    for (const last of ['end', 'close']) answers.once(last, () => setImmediate(goOn));
    // After a pause of the server the timer is due before they were read.
    setTimeout(() => setImmediate(goOn), DRAIN_AFTER_END_MS);
  }
}
