import type { HeaderMap } from '../plugins/plugin.js';
import { headerText } from './documents/header-map.js';
import type { IncomingRequest } from './documents/incoming-request.js';

/**
 * Makes the headers for the target, in place. Removes `host` (the target gets its own). Appends the client's
 * address to x-forwarded-for, and to `forwarded` if it is present. x-forwarded-proto and -host state what
 * this server saw and replace the client's values.
 * @param headers the client's end-to-end headers, as plugins left them
 */
export function upstreamHeaders(headers: HeaderMap, request: IncomingRequest): HeaderMap {
  const host = headerText(headers, 'host');
  const address = request.remote?.address;
  delete headers.host;
  if (host !== undefined) headers['x-forwarded-host'] = host;
  headers['x-forwarded-proto'] = request.scheme;
  if (address !== undefined) headers['x-forwarded-for'] = append(headers, 'x-forwarded-for', address);
  if (address !== undefined && Object.hasOwn(headers, 'forwarded')) {
    const node = address.includes(':') ? `"[${address}]"` : address;
    headers.forwarded = append(headers, 'forwarded', `for=${node};proto=${request.scheme}`);
  }
  headers['x-request-id'] = request.id;
  return headers;
}

function append(headers: HeaderMap, name: string, value: string): string {
  const earlier = headerText(headers, name);
  return earlier === undefined ? value : `${earlier}, ${value}`;
}
