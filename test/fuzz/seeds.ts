/**
 * The seeds of a fuzz test: 1 to `count`. `BACKWORKS_FUZZ_SEED=n` repeats one seed, and `BACKWORKS_FUZZ_SECONDS=n` tries
 * new seeds for n seconds.
 */
export function* seeds(count: number): Generator<number> {
  const { BACKWORKS_FUZZ_SEED: one, BACKWORKS_FUZZ_SECONDS: seconds } = process.env;
  if (one !== undefined) {
    yield Number(one);
  } else if (seconds !== undefined) {
    const until = Date.now() + Number(seconds) * 1000;
    for (let seed = Date.now() % 1_000_000_000; Date.now() < until; seed += 1) yield seed;
  } else {
    for (let seed = 1; seed <= count; seed += 1) yield seed;
  }
}

/** Random numbers that a seed repeats (mulberry32). */
export class Random {
  constructor(private state: number) {}

  /** An integer from 0 to `below` - 1. */
  below(below: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  }

  one<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)));
  }
}
