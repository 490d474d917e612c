import { isDeepStrictEqual } from 'node:util';

/**
 * The dotted paths at which two values of plain objects differ, as deep as both are objects. Lists are compared
 * as a whole.
 * @param below paths that are compared as a whole as well
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
