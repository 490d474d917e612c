import { Semaphore } from './semaphore.js';

/** Runs tasks one at a time, in the order of their requests. */
export class Mutex {
  private readonly turn = new Semaphore(1);

  /**
   * Runs the work after all earlier work, and releases the mutex when the work ends, whether it fails or not. Not
   * reentrant: work that waits for another run() of the same mutex waits for ever.
   */
  run<T>(work: () => Promise<T>): Promise<T> {
    return this.turn.run(work);
  }

  /**
   * Waits for the mutex and holds it until released. The caller releases it in a `finally`.
   * @returns the release function; idempotent
   */
  acquire(): Promise<() => void> {
    return this.turn.acquire();
  }

  /** Resolves when all work requested so far has ended. Never rejects. */
  idle(): Promise<void> {
    return this.turn.run(() => Promise.resolve());
  }
}

/** A mutex for each key. An unused key takes no memory. */
export class KeyedMutex {
  private readonly locks = new Map<string, { readonly mutex: Mutex; users: number }>();

  /** Runs the work after all earlier work for the same key. See Mutex.run(). */
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

  /** Resolves when all work requested so far, for any key, has ended. Never rejects. */
  async idle(): Promise<void> {
    await Promise.all([...this.locks.values()].map(({ mutex }) => mutex.idle()));
  }
}
