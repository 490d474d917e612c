import type { ServerResponse } from 'node:http';

/**
 * Sends an interim answer 103 (RFC 8297) with the links of another one. Does nothing for a client of HTTP/1.0, which
 * would take it for the answer, and for links that are malformed.
 */
export function sendEarlyHints(outgoing: ServerResponse, rawHeaders: readonly string[]): void {
  const link = rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]!.toLowerCase() === 'link',
  );
  if (link.length === 0 || outgoing.headersSent || outgoing.destroyed) return;
  if (outgoing.req.httpVersion === '1.0') return;
  try {
    outgoing.writeEarlyHints({ link });
  } catch {
    // Node refuses links that it cannot parse. The answer itself is still to come.
  }
}
