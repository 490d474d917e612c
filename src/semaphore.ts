/** Limits how many tasks run at the same time. The others wait in a queue. */
export class Semaphore {
  private readonly waiting: (() => void)[] = [];
  private readonly waitingLast: (() => void)[] = [];

  /** @param free number of tasks that may run at the same time */
  constructor(private free: number) {}

  /**
   * Runs the work when a slot is free.
   * @param order `last` waits until no `next` work is waiting
   */
  async run<T>(work: () => Promise<T>, order: 'next' | 'last' = 'next'): Promise<T> {
    const release = await this.acquire(order);
    try {
      return await work();
    } finally {
      release();
    }
  }

  /** Waits for a slot. @returns the release function; idempotent */
  async acquire(order: 'next' | 'last' = 'next'): Promise<() => void> {
    if (this.free > 0) this.free -= 1;
    else
      await new Promise<void>((resolve) =>
        (order === 'next' ? this.waiting : this.waitingLast).push(resolve),
      );
    let held = true;
    return () => {
      if (held) this.release();
      held = false;
    };
  }

  private release(): void {
    const next = this.waiting.shift() ?? this.waitingLast.shift();
    if (next === undefined) this.free += 1;
    else next();
  }
}
