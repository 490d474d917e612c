import { homedir, tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';

const isRoot = process.getuid?.() === 0;

/** The cache directory: $XDG_CACHE_HOME/backworks, ~/.cache/backworks or, for root, /var/cache/backworks. */
export function cacheDirectory(): string {
  const configured = process.env['XDG_CACHE_HOME'];
  // The XDG specification says that relative paths are ignored.
  if (configured !== undefined && isAbsolute(configured)) return join(configured, 'backworks');
  return join(isRoot ? '/var/cache' : join(homedir(), '.cache'), 'backworks');
}

/** The cache directory when the normal one is not usable; the same directory at every start. */
export function temporaryCacheDirectory(): string {
  return join(tmpdir(), `backworks-${process.getuid?.() ?? 'cache'}`);
}
