import { digest } from './digest.js';
import type { LocalCounter, Quota } from './local-counter.js';
import type { RedisLink } from './redis-link.js';

/** Counts requests in Redis, so that all processes and servers count together; in this process while Redis is away. */
export class RedisCounter {
  constructor(
    private readonly link: RedisLink,
    private readonly prefix: string,
    private readonly requests: number,
    private readonly windowMs: number,
    private readonly local: LocalCounter,
  ) {}

  count(key: string): Quota | Promise<Quota> {
    // Keys may be credentials, and others may read Redis.
    const count = this.link.count(`${this.prefix}:${digest(key)}`, this.windowMs);
    // This process counts every request, so that it knows the clients when Redis goes away.
    const local = this.local.count(key);
    if (count === null) return local;
    return count.then(
      ([requests, resetMs]) => ({ remaining: this.requests - requests, resetMs }),
      () => local,
    );
  }
}
