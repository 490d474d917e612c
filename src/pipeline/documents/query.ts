import { setOwn } from './own-member.js';

/** A name that occurs more than once has a list of values. */
export type Query = Record<string, string | string[]>;

/**
 * Parses a query string without its "?". "+" is a space, as in forms. Text that is not percent-encoded UTF-8
 * stays as it is: `100%` is `100%`.
 */
export function parseQuery(search: string): Query {
  const query: Query = {};
  if (search === '') return query;
  for (const pair of search.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1));
    const earlier = Object.hasOwn(query, name) ? query[name]! : undefined;
    if (earlier === undefined) setOwn<string | string[]>(query, name, value);
    else if (Array.isArray(earlier)) earlier.push(value);
    else setOwn<string | string[]>(query, name, [earlier, value]);
  }
  return query;
}

/** The query string for `query`, without a "?". */
export function formatQuery(query: Readonly<Query>): string {
  return Object.entries(query)
    .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((item) => [name, item] as const))
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');
}

/** One or more consecutive percent-encoded bytes. */
const ENCODED = /(?:%[0-9a-f]{2})+/gi;

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  return decoded(spaced) ?? spaced.replace(ENCODED, (bytes) => decoded(bytes) ?? bytes);
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
