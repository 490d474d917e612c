/** Lets a number of pieces of work run at the same time; more wait for their turn. */
export class Semaphore {
  private readonly waiting: (() => void)[] = [];
  private readonly behind: (() => void)[] = [];

  /** @param free how many may run at the same time */
  constructor(private free: number) {}

  /**
   * Does the work when there is room for it.
   * @param order 'last' waits until nobody else does
   */
  async run<T>(work: () => Promise<T>, order: 'next' | 'last' = 'next'): Promise<T> {
    const release = await this.acquire(order);
    try {
      return await work();
    } finally {
      release();
    }
  }

  /** Waits for room. @returns gives it back; the second time does nothing */
  async acquire(order: 'next' | 'last' = 'next'): Promise<() => void> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => (order === 'next' ? this.waiting : this.behind).push(resolve));
    let held = true;
    return () => {
      if (held) this.release();
      held = false;
    };
  }

  private release(): void {
    const next = this.waiting.shift() ?? this.behind.shift();
    if (next === undefined) this.free += 1;
    else next();
  }
}
