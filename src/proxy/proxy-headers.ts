import type { HeaderMap } from '../plugins/plugin.js';
import { headerText } from '../pipeline/documents/header-map.js';
import type { IncomingRequest } from '../pipeline/documents/incoming-request.js';

/**
 * Makes the headers for the target, in place. Appends the address at the other end of the connection to
 * x-forwarded-for, and to `forwarded` if it is present. x-forwarded-proto, -host and -prefix state what this server
 * saw, or what a trusted proxy in front of it saw; they replace the client's values.
 * @param headers the client's end-to-end headers, as plugins left them
 * @param prefix what is stripped of the path
 * @returns the Host header that the client sent
 */
export function upstreamHeaders(
  headers: HeaderMap,
  request: IncomingRequest,
  prefix: string,
): string | undefined {
  const host = headerText(headers, 'host');
  const address = request.peer?.address;
  delete headers.host;
  const askedHost = request.stated?.host ?? host;
  if (askedHost !== undefined) headers['x-forwarded-host'] = askedHost;
  headers['x-forwarded-proto'] = request.stated?.scheme ?? request.scheme;
  if (prefix !== '') headers['x-forwarded-prefix'] = prefix;
  if (address !== undefined) headers['x-forwarded-for'] = append(headers, 'x-forwarded-for', address);
  if (address !== undefined && Object.hasOwn(headers, 'forwarded')) {
    const node = address.includes(':') ? `"[${address}]"` : address;
    headers.forwarded = append(headers, 'forwarded', `for=${node};proto=${request.scheme}`);
  }
  headers['x-request-id'] = request.id;
  return host;
}

function append(headers: HeaderMap, name: string, value: string): string {
  const earlier = headerText(headers, name);
  return earlier === undefined ? value : `${earlier}, ${value}`;
}
