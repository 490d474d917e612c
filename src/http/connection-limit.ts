import { readFileSync } from 'node:fs';

/** Of the descriptors the process may have; the rest is for what answers the connections. */
const CONNECTION_SHARE = 0.8;

/**
 * How many connections there may be at once; null where the system does not say how many descriptors.
 * Plugin processes take five each: a crowd of clients must not keep one from being replaced.
 */
export function connectionsMax(): number | null {
  const limit = /^Max open files +(\d+)/m.exec(readLimits())?.[1];
  return limit === undefined ? null : Math.floor(Number(limit) * CONNECTION_SHARE);
}

/** Empty where there is no /proc of Linux's kind. */
function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'latin1');
  } catch {
    return '';
  }
}
