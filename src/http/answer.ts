import type { OutgoingHttpHeader, ServerResponse } from 'node:http';
import { Readable, pipeline } from 'node:stream';
import type { Log } from '../log.js';
import type { HeaderMap, PluginResponse } from '../plugins/plugin.js';
import type { ServerRequest } from './request.js';

type ResponseBody = ConstructorParameters<typeof Response>[0];
type ResponseHeaders = [string, string][] | Record<string, string>;

/** Writes the pipeline's answer to a client, in one piece where it is not a stream. */
export function writeAnswer(
  answer: PluginResponse,
  request: ServerRequest,
  outgoing: ServerResponse,
  log: Log,
): void {
  const { status, headers } = answer;
  const body = sentBody(answer, request);
  if (body === null || body instanceof Readable) {
    headers['x-request-id'] = request.id;
    outgoing.writeHead(status, headers);
    if (body === null) outgoing.end();
    else stream(body, request, outgoing, log);
    return;
  }
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  outgoing.writeHead(status, headerList(headers, request.id, length));
  writeWhole(body, length, outgoing);
}

/**
 * Ends an answer. Node's end() alone writes the text and an empty string behind it as two parts; what is
 * written and uncorked before leaves nothing for it to send. ASCII is the same bytes in latin1, which Node
 * writes without looking at each character.
 */
function writeWhole(body: Buffer | string, lengthBytes: number, outgoing: ServerResponse): void {
  if (lengthBytes > 0) {
    outgoing.cork();
    outgoing.write(body, body.length === lengthBytes ? 'latin1' : 'utf8');
    outgoing.uncork();
  }
  outgoing.end();
}

/** Node writes a flat list faster than an object. */
function headerList(headers: HeaderMap, requestId: string, length: number): OutgoingHttpHeader[] {
  const list: OutgoingHttpHeader[] = [];
  for (const name in headers) {
    if (name !== 'x-request-id' && name !== 'content-length') list.push(name, headers[name]!);
  }
  list.push('x-request-id', requestId, 'content-length', length);
  return list;
}

function stream(body: Readable, { id }: ServerRequest, outgoing: ServerResponse, log: Log): void {
  outgoing.flushHeaders();
  pipeline(body, outgoing, (error) => {
    if (error) log.debug({ requestId: id, err: error }, 'a streamed answer broke off');
  });
}

/** The pipeline's answer to a request that did not come over a socket. */
export function toResponse(answer: PluginResponse, request: ServerRequest): Response {
  const { status, headers } = answer;
  const body = sentBody(answer, request);
  headers['x-request-id'] = request.id;
  const sent = body instanceof Readable ? Readable.toWeb(body) : body;
  return new Response(sent as ResponseBody, { status, headers: headersInit(headers) });
}

/** What of the body goes out; how long it would have been is said in its place. */
function sentBody(
  { status, headers, body }: PluginResponse,
  { method }: ServerRequest,
): PluginResponse['body'] {
  if (method !== 'HEAD' && status !== 204 && status !== 205 && status !== 304) return body;
  // The target of a proxy sent no body either; reading its end frees the connection.
  if (body instanceof Readable) body.resume();
  else if (body !== null && method === 'HEAD') headers['content-length'] = String(Buffer.byteLength(body));
  return null;
}

/** A plain object is written fastest, but a list of values (set-cookie) needs pairs. */
function headersInit(headers: HeaderMap): ResponseHeaders {
  for (const name in headers) if (Array.isArray(headers[name])) return pairs(headers);
  return headers as Record<string, string>;
}

function pairs(headers: HeaderMap): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((item): [string, string] => [name, item]),
  );
}
