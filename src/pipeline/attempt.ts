import { Deferred, type Listener } from '../deferred.js';
import type { Awaitable } from '../plugins/plugin.js';

/**
 * Runs `act` and continues with its outcome: at once when the outcome is available, so that such a request is
 * answered within one turn of the event loop; otherwise when it arrives.
 * @param failed receives whatever `act` or `next` threw
 */
export function attempt<T, R, F>(
  act: () => Awaitable<T>,
  next: (value: T) => R,
  failed: (error: unknown) => F,
): Awaitable<R | F> {
  try {
    const value = act();
    if (value instanceof Deferred) return after(value, new Step<T, R | F>(next, failed));
    if (value instanceof Promise) return value.then((later) => attempt(() => later, next, failed), failed);
    return next(value);
  } catch (error) {
    return failed(error);
  }
}

/** Continues with a value: at once when it is available, otherwise when it arrives. */
export function follow<T, R>(value: Awaitable<T>, next: (value: T) => Awaitable<R>): Awaitable<R> {
  if (value instanceof Deferred) return after(value, new Continuation(next));
  return value instanceof Promise ? value.then<R>(next) : next(value);
}

function after<T, R>(value: Deferred<T>, step: Deferred<R> & Listener<T>): Deferred<R> {
  value.listen(step);
  return step;
}

/** Runs `act` and reports the outcome to the listener, at once or later. */
export function settle<T>(act: () => Awaitable<T>, listener: Listener<T>): void {
  let value: Awaitable<T>;
  try {
    value = act();
  } catch (error) {
    listener.failed(error);
    return;
  }
  if (value instanceof Deferred) value.listen(listener);
  else if (value instanceof Promise)
    value.then(
      (later) => listener.answered(later),
      (error: unknown) => listener.failed(error),
    );
  else listener.answered(value);
}

/** The asynchronous half of attempt(). */
class Step<T, R> extends Deferred<R> implements Listener<T> {
  constructor(
    private readonly next: (value: T) => R,
    private readonly recover: (error: unknown) => R,
  ) {
    super();
  }

  answered(value: T): void {
    let result: R;
    try {
      result = this.next(value);
    } catch (error) {
      this.failed(error);
      return;
    }
    this.resolve(result);
  }

  failed(error: unknown): void {
    let result: R;
    try {
      result = this.recover(error);
    } catch (thrown) {
      this.reject(thrown);
      return;
    }
    this.resolve(result);
  }
}

/** The asynchronous half of follow(). */
class Continuation<T, R> extends Deferred<R> implements Listener<T> {
  constructor(private readonly next: (value: T) => Awaitable<R>) {
    super();
  }

  answered(value: T): void {
    let result: Awaitable<R>;
    try {
      result = this.next(value);
    } catch (error) {
      this.reject(error);
      return;
    }
    settle(() => result, { answered: (later) => this.resolve(later), failed: (error) => this.reject(error) });
  }

  failed(error: unknown): void {
    this.reject(error);
  }
}
