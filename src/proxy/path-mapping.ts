/** Where the paths that clients ask for are on a target, and back. */
export class PathMapping {
  private readonly stripped: readonly string[];

  /**
   * @param strip the beginning that the target does not get; empty for none
   * @param added put before the rest; empty for nothing
   */
  constructor(
    private readonly strip: string,
    private readonly added: string,
  ) {
    this.stripped = strip === '' ? [] : strip.split('/');
  }

  /**
   * The path for a target. A path that does not begin with the prefix to strip, because a plugin has changed it, keeps
   * its beginning.
   * @param path percent-encoded
   */
  toTarget(path: string): string {
    return this.stripped.length === 0 ? this.added + path : this.added + this.rest(path);
  }

  /**
   * The path by which clients ask for a path of a target.
   * @param base the path of the target's URL
   * @returns the path itself when no request of the endpoint leads to it
   */
  toClient(base: string, path: string): string {
    const beginning = base + this.added;
    if (beginning === '' && this.strip === '') return path;
    // The target may know the prefix, and state the client's path itself.
    if (this.strip !== '' && isBelow(this.strip, path)) return path;
    if (!isBelow(beginning, path)) return path;
    const mapped = this.strip + path.slice(beginning.length);
    return mapped.startsWith('/') ? mapped : `/${mapped}`;
  }

  private rest(path: string): string {
    const segments = path.split('/');
    const { stripped } = this;
    if (!stripped.every((segment, index) => isSame(segments[index], segment))) return path;
    return `/${segments.slice(stripped.length).join('/')}`;
  }
}

/** Whether a path is another one or lies below it. */
function isBelow(beginning: string, path: string): boolean {
  if (!path.startsWith(beginning)) return false;
  const next = path.charAt(beginning.length);
  return beginning === '' || next === '' || next === '/' || next === '?' || next === '#';
}

/** The routes compare segments decoded; so must this. */
function isSame(sent: string | undefined, segment: string): boolean {
  if (sent === undefined) return false;
  if (sent === segment) return true;
  try {
    return decodeURIComponent(sent) === segment;
  } catch {
    return false;
  }
}
