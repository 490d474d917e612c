import { availableParallelism } from 'node:os';
import { Semaphore } from '../semaphore.js';

/** Enough to keep all cores busy while the server reads what some have answered. */
const AT_ONCE = 2 * availableParallelism();
/** What takes longer waits for something else than a core, and keeps nobody waiting. */
const TURN_MS = 100;

const turns = new Semaphore(AT_ONCE);

/**
 * Starts a process when few others are starting: a hundred at once would only take each other's time,
 * and each of them the event loop's.
 * @param order 'last' for what nobody waits for
 */
export async function inTurn<T>(start: () => Promise<T>, order: 'next' | 'last' = 'next'): Promise<T> {
  const release = await turns.acquire(order);
  const timer = setTimeout(release, TURN_MS).unref();
  try {
    return await start();
  } finally {
    clearTimeout(timer);
    release();
  }
}
