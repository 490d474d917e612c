import { readFileSync } from 'node:fs';

/** The share of the process's descriptors that connections may use. Answering them needs the rest. */
const CONNECTION_SHARE = 0.8;

/**
 * How many connections may be open at once; null when the system does not report its descriptor limit.
 * Plugin processes take five descriptors each: many clients must not prevent the replacement of a process.
 */
export function connectionsMax(): number | null {
  const limit = /^Max open files +(\d+)/m.exec(readLimits())?.[1];
  return limit === undefined ? null : Math.floor(Number(limit) * CONNECTION_SHARE);
}

/** Empty when there is no Linux /proc. */
function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'latin1');
  } catch {
    return '';
  }
}
