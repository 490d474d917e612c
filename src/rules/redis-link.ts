import type { Redis } from 'ioredis';
import { BackworksError } from '../errors.js';
import type { RedisConfig } from '../config/types.js';
import type { Log } from '../log.js';

/** Counts one request of a key, and returns the count and the milliseconds until it starts again. */
const COUNT = `
local count = redis.call('incr', KEYS[1])
local left = redis.call('pttl', KEYS[1])
if left < 0 then
  redis.call('pexpire', KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return {count, left}`;

type CountCommand = (key: string, windowMs: number) => Promise<[count: number, leftMs: number]>;

/** Longest wait before another attempt to connect. */
const RECONNECT_MS_MAX = 2000;
const CONNECT_TIMEOUT_MS = 2000;
/** Time between two requests that ask a Redis that was away. */
const TRIAL_MS = 1000;

/**
 * The connection to Redis. While Redis does not answer, requests do not wait for it: one request a second asks again,
 * and the connection is made anew in the background.
 */
export class RedisLink {
  private client: (Redis & { countRequest: CountCommand }) | null = null;
  private isAway = false;
  private isClosed = false;
  private nextTrialMs = 0;

  constructor(
    private readonly config: RedisConfig,
    private readonly log: Log,
  ) {}

  /** Connects in the background. @throws BackworksError BW_CONFIG_INVALID when the Redis client is not installed */
  async open(): Promise<void> {
    const { Redis: Client } = await importClient();
    if (this.client !== null || this.isClosed) return;
    const { url, timeoutMs } = this.config;
    const client = new Client(url, {
      connectTimeout: CONNECT_TIMEOUT_MS,
      commandTimeout: timeoutMs,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), RECONNECT_MS_MAX),
    });
    client.defineCommand('countRequest', { numberOfKeys: 1, lua: COUNT });
    client.on('error', (error: Error) => this.away(error));
    client.on('close', () => this.away(new Error('the connection is closed')));
    this.client = client as Redis & { countRequest: CountCommand };
  }

  /** Counts one request. @returns null while Redis is away; rejects when it does not answer this time */
  count(key: string, windowMs: number): Promise<[count: number, leftMs: number]> | null {
    const { client } = this;
    if (client?.status !== 'ready') return null;
    if (this.isAway && !this.mayTry()) return null;
    const counted = client.countRequest(`${this.config.prefix}:${key}`, windowMs);
    counted.then(
      () => this.back(),
      (error: unknown) => this.failed(error as Error),
    );
    return counted;
  }

  close(): void {
    this.isClosed = true;
    this.client?.disconnect();
  }

  /** While Redis is away, one request a second asks it. */
  private mayTry(): boolean {
    const nowMs = performance.now();
    if (nowMs < this.nextTrialMs) return false;
    this.nextTrialMs = nowMs + TRIAL_MS;
    return true;
  }

  /** A Redis that is connected and silent is as good as away: what waits for it is dropped with the connection. */
  private failed(error: Error): void {
    if (this.isClosed || this.client?.status !== 'ready') return;
    this.away(error);
    this.client.disconnect(true);
  }

  private away({ message }: Error): void {
    if (this.isAway || this.isClosed) return;
    this.isAway = true;
    this.nextTrialMs = performance.now() + TRIAL_MS;
    const text = `Redis at ${this.place} does not answer (${message}); each server process counts rate limits by itself until it does`;
    this.log.warn({ redis: this.place }, text);
  }

  private back(): void {
    if (this.isAway)
      this.log.info({ redis: this.place }, `Redis at ${this.place} answers again; rate limits are shared`);
    this.isAway = false;
  }

  /** Host and port, without credentials. */
  private get place(): string {
    return new URL(this.config.url).host;
  }
}

async function importClient(): Promise<{ readonly Redis: typeof Redis }> {
  try {
    return await import('ioredis');
  } catch (cause) {
    throw new BackworksError(
      'BW_CONFIG_INVALID',
      'server.redis needs the package ioredis, which is not installed',
      {
        hint: 'npm install ioredis',
        cause,
      },
    );
  }
}
