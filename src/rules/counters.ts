import type { RateLimitConfig, RedisConfig } from '../config/types.js';
import type { Log } from '../log.js';
import { LocalCounter } from './local-counter.js';
import type { Counter } from './rate-limit-rule.js';
import { RedisCounter } from './redis-counter.js';
import { RedisLink } from './redis-link.js';

/** The counters of the rate limits of a server process. They outlive reloads that do not change their limits. */
export class Counters {
  private readonly local = new Map<string, { readonly limit: string; readonly counter: LocalCounter }>();
  private readonly link: RedisLink | null;
  private usesRedis = false;
  private isStarted = false;

  constructor(
    redis: RedisConfig | null,
    private readonly log: Log,
  ) {
    this.link = redis === null ? null : new RedisLink(redis, log);
  }

  /** Connects to Redis if a limit needs it. @throws BackworksError BW_CONFIG_INVALID when the client is not installed */
  async start(): Promise<void> {
    this.isStarted = true;
    if (this.usesRedis) await this.link?.open();
  }

  close(): void {
    this.link?.close();
  }

  /** @param owner `server`, or the name of an endpoint */
  of(owner: string, { requests, perMs, store }: RateLimitConfig): Counter {
    const limit = `${requests} per ${perMs}`;
    let local = this.local.get(owner);
    if (local?.limit !== limit) {
      local = { limit, counter: new LocalCounter(requests, perMs) };
      this.local.set(owner, local);
    }
    if (store === 'memory') return local.counter;
    this.useRedis(owner);
    if (this.link === null) return local.counter;
    return new RedisCounter(this.link, `${owner}:${perMs}`, requests, perMs, local.counter);
  }

  /** Forgets the counters of other owners. */
  retain(owners: ReadonlySet<string>): void {
    for (const owner of this.local.keys()) if (!owners.has(owner)) this.local.delete(owner);
  }

  private useRedis(owner: string): void {
    this.usesRedis = true;
    if (!this.isStarted) return;
    if (this.link === null) {
      const text = `the rate limit of ${owner} is counted by each process: server.redis takes effect after a restart`;
      this.log.warn({}, text);
      return;
    }
    this.link
      .open()
      .catch((error: unknown) =>
        this.log.warn({ err: error }, 'Redis cannot be used; each process counts rate limits by itself'),
      );
  }
}
