import { type KeyValues, KvStatus } from '../native/plugin.js';
import { KV_KEY_MAX, KV_VALUE_MAX } from '../native/protocol/protocol.js';

/** Most keys of one space. */
const KEYS_MAX = 10_000;
/** What a key costs beside its own bytes and those of its value, so that short keys count too. */
const KEY_OVERHEAD_BYTES = 64;
const MS_PER_SECOND = 1000;

interface Stored {
  readonly value: string;
  /** What the key and the value count, in bytes. */
  readonly bytes: number;
  /** `performance.now()` milliseconds from which the value is gone; Infinity for never. */
  readonly expiresAtMs: number;
}

/**
 * The key-value space of one plugin, in memory. It has a limit for its bytes and one for its keys. A write that
 * would exceed a limit changes nothing. Expired values are removed when they are read, or when a write needs room.
 */
export class KeyValueSpace implements KeyValues {
  private readonly values = new Map<string, Stored>();
  private usedBytes = 0;

  /**
   * @param bytesMax limit for the bytes of all keys and values, read at each write
   * @param onWrite called after each write that should store a value
   */
  constructor(
    private readonly bytesMax: () => number,
    private readonly onWrite: (status: KvStatus) => void,
  ) {}

  /** Bytes of all keys and values, with the overhead of each key. */
  get bytes(): number {
    return this.usedBytes;
  }

  /** Number of keys. */
  get size(): number {
    return this.values.size;
  }

  get(key: string): string | null {
    const stored = this.values.get(key);
    if (stored === undefined) return null;
    if (!isExpired(stored)) return stored.value;
    this.remove(key);
    return null;
  }

  set(key: string, value: string | null, ttlSeconds: number): KvStatus {
    if (value === null) {
      this.remove(key);
      return KvStatus.STORED;
    }
    const status = this.store(key, value, ttlSeconds);
    this.onWrite(status);
    return status;
  }

  private store(key: string, value: string, ttlSeconds: number): KvStatus {
    const keyBytes = Buffer.byteLength(key);
    const valueBytes = Buffer.byteLength(value);
    if (keyBytes === 0 || keyBytes > KV_KEY_MAX || valueBytes > KV_VALUE_MAX) return KvStatus.INVALID;
    const bytes = keyBytes + valueBytes + KEY_OVERHEAD_BYTES;
    if (!this.hasRoom(key, bytes)) {
      this.removeExpired();
      if (!this.hasRoom(key, bytes)) return KvStatus.FULL;
    }
    this.remove(key);
    const expiresAtMs = ttlSeconds === 0 ? Infinity : performance.now() + ttlSeconds * MS_PER_SECOND;
    this.values.set(key, { value, bytes, expiresAtMs });
    this.usedBytes += bytes;
    return KvStatus.STORED;
  }

  private hasRoom(key: string, bytes: number): boolean {
    const replaced = this.values.get(key);
    const keys = this.values.size + (replaced === undefined ? 1 : 0);
    return keys <= KEYS_MAX && this.usedBytes - (replaced?.bytes ?? 0) + bytes <= this.bytesMax();
  }

  private remove(key: string): void {
    const stored = this.values.get(key);
    if (stored === undefined) return;
    this.values.delete(key);
    this.usedBytes -= stored.bytes;
  }

  private removeExpired(): void {
    for (const [key, stored] of this.values) if (isExpired(stored)) this.remove(key);
  }
}

function isExpired({ expiresAtMs }: Stored): boolean {
  return performance.now() >= expiresAtMs;
}
