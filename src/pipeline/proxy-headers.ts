import type { HeaderMap } from '../plugins/plugin.js';
import { headerText } from './documents/header-map.js';
import type { IncomingRequest } from './documents/incoming-request.js';

/** Headers that concern one connection only (RFC 9110 §7.6.1), and what older peers send as such. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
];

/** Removes, in place, what must not travel beyond one connection, including what Connection names. */
export function removeHopByHop(headers: HeaderMap): HeaderMap {
  const named = headerText(headers, 'connection');
  if (named !== undefined) for (const name of named.split(',')) delete headers[name.trim().toLowerCase()];
  for (const name of HOP_BY_HOP) delete headers[name];
  return headers;
}

/**
 * Headers for the target: the client's, without hop-by-hop ones and `host` (the target gets its own),
 * with the client's address appended to x-forwarded-for and to a `forwarded` that was already there.
 * x-forwarded-proto and -host state what this server saw and replace what the client claims.
 */
export function upstreamHeaders(headers: HeaderMap, request: IncomingRequest): HeaderMap {
  const host = headerText(headers, 'host');
  const address = request.remote?.address;
  const result = removeHopByHop(headers);
  delete result.host;
  if (host !== undefined) result['x-forwarded-host'] = host;
  result['x-forwarded-proto'] = request.scheme;
  if (address !== undefined) result['x-forwarded-for'] = append(result, 'x-forwarded-for', address);
  if (address !== undefined && Object.hasOwn(result, 'forwarded')) {
    const node = address.includes(':') ? `"[${address}]"` : address;
    result.forwarded = append(result, 'forwarded', `for=${node};proto=${request.scheme}`);
  }
  result['x-request-id'] = request.id;
  return result;
}

function append(headers: HeaderMap, name: string, value: string): string {
  const earlier = headerText(headers, name);
  return earlier === undefined ? value : `${earlier}, ${value}`;
}
