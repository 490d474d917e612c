import { BackworksError } from '../../errors.js';
import { setOwn } from './own-member.js';

/** A name that occurs more than once has a list. */
export type Query = Record<string, string | string[]>;

/**
 * Reads a query string without its "?"; "+" is a space, as forms write it.
 * @throws BackworksError BW_REQUEST_INVALID on malformed percent-encoding.
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

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch (cause) {
    throw new BackworksError('BW_REQUEST_INVALID', 'the query string has malformed percent-encoding', {
      cause,
    });
  }
}
