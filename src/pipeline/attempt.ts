import type { Awaitable } from '../plugins/plugin.js';

/**
 * Does something and goes on with its outcome: at once when that is at hand, so that a request nobody
 * keeps waiting is answered within one turn; else when it arrives.
 * @param failed takes whatever `act` or `next` threw.
 */
export function attempt<T, R, F>(
  act: () => Awaitable<T>,
  next: (value: T) => R,
  failed: (error: unknown) => F,
): Awaitable<R | F> {
  try {
    const value = act();
    if (value instanceof Promise) return value.then((later) => attempt(() => later, next, failed), failed);
    return next(value);
  } catch (error) {
    return failed(error);
  }
}

/** Goes on with a value: at once when it is at hand, else when it arrives. */
export function follow<T, R>(value: Awaitable<T>, next: (value: T) => Awaitable<R>): Awaitable<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
