import { isDeepStrictEqual } from 'node:util';

/**
 * Where two values of plain objects differ, as dotted paths: at the deepest place where both are objects.
 * Lists are compared as a whole.
 * @param below paths that are not looked into: a difference inside is one of the path itself
 */
export function changedPaths(
  from: unknown,
  to: unknown,
  below: ReadonlySet<string> = new Set(),
  path = '',
): string[] {
  if (!isPlainObject(from) || !isPlainObject(to) || below.has(path))
    return isDeepStrictEqual(from, to) ? [] : [path];
  const keys = new Set([...Object.keys(from), ...Object.keys(to)]);
  return [...keys].flatMap((key) =>
    changedPaths(from[key], to[key], below, path === '' ? key : `${path}.${key}`),
  );
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
