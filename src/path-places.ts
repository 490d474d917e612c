import { readlinkSync } from 'node:fs';
import { dirname, join, parse, relative, resolve, sep } from 'node:path';

/** The system follows no more links than this on the way to a file. */
const LINKS_MAX = 40;

/** True when `path` equals `ancestor` or is below it. */
export function contains(ancestor: string, path: string): boolean {
  const way = relative(ancestor, path);
  return way !== '..' && !way.startsWith(`..${sep}`);
}

/** The path after symbolic links are resolved, as far as it exists. */
export function realPath(path: string): string {
  return follow(path).end;
}

/**
 * The path after symbolic links are resolved, and the place of each link on the way: whoever can replace one of
 * these links can lead the path to another file.
 */
export function placesOf(path: string): string[] {
  const { end, links } = follow(path);
  return [end, ...links];
}

function follow(path: string): { readonly end: string; readonly links: readonly string[] } {
  const absolute = resolve(path);
  const links: string[] = [];
  let at = parse(absolute).root;
  let rest = stepsOf(absolute);
  for (let step = rest.shift(); step !== undefined; step = rest.shift()) {
    const next = step === '..' ? dirname(at) : join(at, step);
    const target = links.length < LINKS_MAX ? linkAt(next) : null;
    if (target === null) {
      at = next;
      continue;
    }
    links.push(next);
    const { root } = parse(target);
    if (root !== '') at = root;
    rest = [...stepsOf(target), ...rest];
  }
  return { end: at, links };
}

function stepsOf(path: string): string[] {
  return path
    .slice(parse(path).root.length)
    .split(sep)
    .filter((step) => step !== '' && step !== '.');
}

/** What a symbolic link contains; null when there is none. */
function linkAt(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
