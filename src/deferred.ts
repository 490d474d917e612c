/** Waits for an answer. Exactly one of the two methods is called, once. */
export interface Listener<T> {
  answered(value: T): void;
  failed(error: unknown): void;
}

/**
 * A promise-like answer for one listener. The listener is called synchronously: a promise would take a turn of the
 * microtask queue at every step, and a request has dozens of steps. A Deferred can also be awaited.
 */
export class Deferred<T> implements PromiseLike<T> {
  private state: 'pending' | 'resolved' | 'rejected' = 'pending';
  private value: T | undefined;
  private error: unknown;
  private listener: Listener<T> | null = null;

  /** Settles with an answer. Does nothing if already settled. */
  resolve(value: T): void {
    if (this.state !== 'pending') return;
    this.state = 'resolved';
    this.value = value;
    const { listener } = this;
    this.listener = null;
    listener?.answered(value);
  }

  /** Settles with an error. Does nothing if already settled. */
  reject(error: unknown): void {
    if (this.state !== 'pending') return;
    this.state = 'rejected';
    this.error = error;
    const { listener } = this;
    this.listener = null;
    listener?.failed(error);
  }

  /** Sets the only listener; a settled Deferred calls the listener at once. The listener must not throw. */
  listen(listener: Listener<T>): void {
    if (this.state === 'pending') this.listener = listener;
    else if (this.state === 'resolved') listener.answered(this.value as T);
    else listener.failed(this.error);
  }

  /** The answer if it is available, otherwise this object. */
  get atHand(): T | this {
    return this.state === 'resolved' ? (this.value as T) : this;
  }

  toPromise(): Promise<T> {
    return new Promise((answered, failed) => this.listen({ answered, failed }));
  }

  then<R = T, F = never>(
    onAnswer?: ((value: T) => R | PromiseLike<R>) | null,
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- PromiseLike itself is declared with `any`
    onFailure?: ((error: any) => F | PromiseLike<F>) | null,
  ): Promise<R | F> {
    return this.toPromise().then(onAnswer, onFailure);
  }
}
