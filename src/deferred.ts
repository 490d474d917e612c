/** Whoever waits for an answer. Exactly one of the two is called, once. */
export interface Listener<T> {
  answered(value: T): void;
  failed(error: unknown): void;
}

/**
 * An answer that comes later, to one listener, which hears of it at once: a promise would take a turn of
 * the microtask queue at every station, and a request passes dozens. Awaiting one gives a promise.
 */
export class Deferred<T> implements PromiseLike<T> {
  private state: 'pending' | 'resolved' | 'rejected' = 'pending';
  private value: T | undefined;
  private error: unknown;
  private listener: Listener<T> | null = null;

  /** Gives the answer; nothing happens when there is one already. */
  resolve(value: T): void {
    if (this.state !== 'pending') return;
    this.state = 'resolved';
    this.value = value;
    const { listener } = this;
    this.listener = null;
    listener?.answered(value);
  }

  /** Ends the wait without an answer; nothing happens when there is one already. */
  reject(error: unknown): void {
    if (this.state !== 'pending') return;
    this.state = 'rejected';
    this.error = error;
    const { listener } = this;
    this.listener = null;
    listener?.failed(error);
  }

  /** Tells the one listener there can be: now, if the answer is there. It must not throw. */
  listen(listener: Listener<T>): void {
    if (this.state === 'pending') this.listener = listener;
    else if (this.state === 'resolved') listener.answered(this.value as T);
    else listener.failed(this.error);
  }

  /** The answer without a wait where it is there; else this. */
  get atHand(): T | this {
    return this.state === 'resolved' ? (this.value as T) : this;
  }

  toPromise(): Promise<T> {
    return new Promise((answered, failed) => this.listen({ answered, failed }));
  }

  then<R = T, F = never>(
    onAnswer?: ((value: T) => R | PromiseLike<R>) | null,
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as the library's own PromiseLike has it
    onFailure?: ((error: any) => F | PromiseLike<F>) | null,
  ): Promise<R | F> {
    return this.toPromise().then(onAnswer, onFailure);
  }
}
