import { availableParallelism } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { Semaphore } from '../../semaphore.js';

/** Keeps all cores busy while the server reads the answers of processes that have started. */
const AT_ONCE = 2 * availableParallelism();
/** A start that takes longer waits for something other than a core, so the next start begins. */
const TURN_MS = 100;
/** Starts with the order 'last' begin after this long without a start with the order 'next'. */
const QUIET_MS = 50;

const turns = new Semaphore(AT_ONCE);
let lastUrgentAtMs = -Infinity;

/**
 * Starts a process when few others are starting. A hundred starts at once would only slow each other down,
 * and block the event loop.
 * @param order 'last' for processes that no request waits for, such as spares: while a server starts, its
 *   workers get descriptors and memory first
 */
export async function inTurn<T>(start: () => Promise<T>, order: 'next' | 'last' = 'next'): Promise<T> {
  if (order === 'next') lastUrgentAtMs = performance.now();
  else await noUrgentStart();
  const release = await turns.acquire(order);
  const timer = setTimeout(release, TURN_MS).unref();
  try {
    return await start();
  } finally {
    clearTimeout(timer);
    release();
    if (order === 'next') lastUrgentAtMs = performance.now();
  }
}

async function noUrgentStart(): Promise<void> {
  for (;;) {
    const leftMs = lastUrgentAtMs + QUIET_MS - performance.now();
    if (leftMs <= 0) return;
    await pause(leftMs, undefined, { ref: false });
  }
}
