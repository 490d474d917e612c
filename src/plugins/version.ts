import semver from 'semver';

/**
 * Whether a plugin's version is in a semver range. Version strings are read leniently: "1.4" counts as 1.4.0. A
 * string that is not a version is only in the range "*".
 */
export function satisfies(version: string, range: string): boolean {
  if (range.trim() === '*' || range.trim() === '') return true;
  const read = semver.parse(version, { loose: true }) ?? semver.coerce(version, { includePrerelease: true });
  return read !== null && semver.satisfies(read, range, { loose: true, includePrerelease: true });
}

/** Whether a text is a semver range such as "^1.2" or ">=2 <4". */
export function isRange(text: string): boolean {
  return semver.validRange(text, { loose: true }) !== null;
}

/** Whether a text is a semantic version such as "1.2.3" or "2.0.0-rc.1". */
export function isVersion(text: string): boolean {
  return /^\d\S*$/.test(text) && semver.parse(text) !== null;
}
