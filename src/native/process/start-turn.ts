import { availableParallelism } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { Semaphore } from '../../semaphore.js';

/** Enough to keep all cores busy while the server reads what some have answered. */
const AT_ONCE = 2 * availableParallelism();
/** What takes longer waits for something else than a core, and keeps nobody waiting. */
const TURN_MS = 100;
/** When so long nobody has waited for a start, it is time for those nobody waits for. */
const QUIET_MS = 50;

const turns = new Semaphore(AT_ONCE);
let neededAtMs = -Infinity;

/**
 * Starts a process when few others are starting: a hundred at once would only take each other's time,
 * and each of them the event loop's.
 * @param order 'last' for what nobody waits for, such as spares: while a server starts, its plugins come
 *   first, also for descriptors and memory
 */
export async function inTurn<T>(start: () => Promise<T>, order: 'next' | 'last' = 'next'): Promise<T> {
  if (order === 'next') neededAtMs = performance.now();
  else await quiet();
  const release = await turns.acquire(order);
  const timer = setTimeout(release, TURN_MS).unref();
  try {
    return await start();
  } finally {
    clearTimeout(timer);
    release();
    if (order === 'next') neededAtMs = performance.now();
  }
}

async function quiet(): Promise<void> {
  for (;;) {
    const leftMs = neededAtMs + QUIET_MS - performance.now();
    if (leftMs <= 0) return;
    await pause(leftMs, undefined, { ref: false });
  }
}
