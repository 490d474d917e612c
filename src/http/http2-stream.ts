import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest, ServerHttp2Stream } from 'node:http2';

/** The stream of a request over HTTP/2; null over HTTP/1. */
export function http2Stream(incoming: IncomingMessage): ServerHttp2Stream | null {
  return incoming.httpVersionMajor === 2 ? (incoming as unknown as Http2ServerRequest).stream : null;
}
