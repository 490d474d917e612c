import { homedir, tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';

const isRoot = process.getuid?.() === 0;

/** $XDG_CACHE_HOME/backworks, ~/.cache/backworks or, for root, /var/cache/backworks. */
export function cachePlace(): string {
  const configured = process.env['XDG_CACHE_HOME'];
  // The XDG specification has relative paths ignored.
  if (configured !== undefined && isAbsolute(configured)) return join(configured, 'backworks');
  return join(isRoot ? '/var/cache' : join(homedir(), '.cache'), 'backworks');
}

/** Where the cache is when it cannot be at its place; the same directory at every start. */
export function temporaryCachePlace(): string {
  return join(tmpdir(), `backworks-${process.getuid?.() ?? 'cache'}`);
}
