/** The location of a value, as a JSON pointer (RFC 6901): "" is the whole file. */
export type Pointer = string;

/** Appends a key or an index to `parent`. */
export function below(parent: Pointer, key: string | number): Pointer {
  return `${parent}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

export function segments(pointer: Pointer): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** True when `pointer` equals `ancestor` or is below it. */
export function isWithin(pointer: Pointer, ancestor: Pointer): boolean {
  return pointer === ancestor || pointer.startsWith(`${ancestor}/`);
}

/**
 * The path in the notation of messages: `plugins.auto_discover.directories[1]`. Longer paths are cut to `max`
 * keys.
 */
export function displayPath(pointer: Pointer, max = Infinity): string {
  let text = '';
  const path = segments(pointer);
  for (const segment of path.slice(0, max)) {
    if (/^[0-9]+$/.test(segment)) text += `[${segment}]`;
    else if (!/^[A-Za-z0-9_-]{1,100}$/.test(segment)) text += `[${quote(segment)}]`;
    else text += text === '' ? segment : `.${segment}`;
  }
  return path.length > max ? `${text}…` : text;
}

const QUOTED_MAX = 60;

/** Quotes a text on one line, shortened when it is long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > QUOTED_MAX ? `${text.slice(0, QUOTED_MAX)}…` : text);
}
