import { Semaphore } from './semaphore.js';

/** Runs pieces of work one at a time, in the order in which they asked. */
export class Mutex {
  private readonly turn = new Semaphore(1);

  /**
   * Runs the work when everything that asked before has ended, and frees the mutex when the work ends, failed
   * or not. Not reentrant: work that waits for another run() of the same mutex waits for ever.
   */
  run<T>(work: () => Promise<T>): Promise<T> {
    return this.turn.run(work);
  }

  /**
   * Waits for the mutex and holds it beyond one function call. The caller frees it in a `finally`.
   * @returns frees the mutex; idempotent
   */
  acquire(): Promise<() => void> {
    return this.turn.acquire();
  }

  /** Resolves when everything that asked before has ended. Never rejects. */
  idle(): Promise<void> {
    return this.turn.run(() => Promise.resolve());
  }
}

/** A mutex for each key. A key that nobody uses takes no memory. */
export class KeyedMutex {
  private readonly locks = new Map<string, { readonly mutex: Mutex; users: number }>();

  /** Runs the work when everything that asked before for the same key has ended. See Mutex.run(). */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const lock = this.locks.get(key) ?? { mutex: new Mutex(), users: 0 };
    this.locks.set(key, lock);
    lock.users += 1;
    try {
      return await lock.mutex.run(work);
    } finally {
      lock.users -= 1;
      if (lock.users === 0) this.locks.delete(key);
    }
  }

  /** Resolves when everything that asked before has ended, whatever its key. Never rejects. */
  async idle(): Promise<void> {
    await Promise.all([...this.locks.values()].map(({ mutex }) => mutex.idle()));
  }
}
