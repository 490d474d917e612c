import { IncomingMessage, type OutgoingHttpHeader, type ServerResponse } from 'node:http';
import { Readable, pipeline } from 'node:stream';
import type { Log } from '../log.js';
import { passingTrailers } from '../pipeline/documents/end-to-end.js';
import type { HeaderMap, PluginResponse } from '../plugins/plugin.js';
import type { ServerRequest } from './request.js';
import { isPlainResponse, sendPlainResponse } from './response-head.js';

type ResponseBody = ConstructorParameters<typeof Response>[0];
type ResponseHeaders = [string, string][] | Record<string, string>;

/** Writes the pipeline's answer to a client; an answer that is not a stream is written in one piece. */
export function writeAnswer(
  answer: PluginResponse,
  request: ServerRequest,
  outgoing: ServerResponse,
  log: Log,
): void {
  const body = sentBody(answer, request);
  const { status, headers } = answer;
  if (body === null || body instanceof Readable) {
    headers['x-request-id'] = request.id;
    outgoing.writeHead(status, headers);
    if (body === null) outgoing.end();
    else stream(body, request, outgoing, log);
    return;
  }
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  if (request.observed !== null) request.observed.sentBytes = length;
  if (length <= ONE_WRITE_BYTES_MAX && isPlainResponse(outgoing)) {
    sendPlainResponse(outgoing, status, headers, request.id, latin1(body, length));
    return;
  }
  outgoing.writeHead(status, headerList(headers, request.id, length));
  writeWhole(body, length, outgoing);
}

/** Up to this size copying a body behind its head costs less than writing two parts. */
const ONE_WRITE_BYTES_MAX = 16 * 1024;

/** The bytes of a body as a string with one byte per character. */
function latin1(body: Buffer | string, length: number): string {
  if (typeof body !== 'string') return body.toString('latin1');
  return body.length === length ? body : Buffer.from(body).toString('latin1');
}

/**
 * Ends an answer. Node's end() alone would send the text and an empty string as two parts; writing and
 * uncorking first leaves nothing for end() to send. ASCII text has the same bytes in latin1, which Node
 * writes without checking each character. Any other text is written as bytes, because Node would encode
 * the header lines like the text, and header lines are latin1.
 */
function writeWhole(body: Buffer | string, lengthBytes: number, outgoing: ServerResponse): void {
  if (lengthBytes > 0) {
    outgoing.cork();
    if (typeof body !== 'string') outgoing.write(body);
    else if (body.length === lengthBytes) outgoing.write(body, 'latin1');
    else outgoing.write(Buffer.from(body));
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

const NO_BYTES = Buffer.alloc(0);

function stream(body: Readable, { id, observed }: ServerRequest, outgoing: ServerResponse, log: Log): void {
  // Sends the header lines at once, as flushHeaders() does, but in latin1 like every other answer.
  outgoing.write(NO_BYTES);
  if (body instanceof IncomingMessage)
    body.once('end', () => addTrailers(outgoing, passingTrailers(body.rawTrailers)));
  pipeline(body, outgoing, (error) => {
    if (error) log.debug({ requestId: id, err: error }, 'a streamed answer was cut off');
  });
  observed?.countResponseBody(body);
}

/** Only a body in chunks can have trailers. For any other, Node drops them. */
function addTrailers(outgoing: ServerResponse, trailers: [string, string][]): void {
  if (trailers.length > 0) outgoing.addTrailers(trailers);
}

/** Converts the pipeline's answer for a request that did not come over a socket. */
export function toResponse(answer: PluginResponse, request: ServerRequest): Response {
  const { status, headers } = answer;
  const body = sentBody(answer, request);
  headers['x-request-id'] = request.id;
  const sent = body instanceof Readable ? Readable.toWeb(body) : body;
  return new Response(sent as ResponseBody, { status, headers: headersInit(headers) });
}

/**
 * Returns the body to send: none for HEAD and for a status without a body. Makes the answer's content-length
 * match (RFC 9110 section 8.6).
 */
function sentBody(answer: PluginResponse, { method }: ServerRequest): PluginResponse['body'] {
  const { status, headers, body } = answer;
  const bodiless = status === 204 || status === 205 || status === 304;
  if (method !== 'HEAD' && !bodiless) {
    if (body === null) headers['content-length'] = '0';
    return body;
  }
  if (body instanceof Readable) discard(body);
  if (status === 205) headers['content-length'] = '0';
  else if (bodiless) delete headers['content-length'];
  // A proxy target's content-length for HEAD describes a body that the target did not send.
  else if (body !== null && !(body instanceof Readable) && headers['content-length'] === undefined) {
    headers['content-length'] = String(Buffer.byteLength(body));
  }
  return null;
}

/** Lets a stream that nobody reads end. A stream that continues is destroyed together with its source. */
function discard(body: Readable): void {
  body.on('error', () => undefined).resume();
  setImmediate(() => {
    if (!body.readableEnded) body.destroy();
  });
}

/** A plain object is fastest to write, but a list of values (set-cookie) needs pairs. */
function headersInit(headers: HeaderMap): ResponseHeaders {
  for (const name in headers) if (Array.isArray(headers[name])) return pairs(headers);
  return headers as Record<string, string>;
}

function pairs(headers: HeaderMap): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((item): [string, string] => [name, item]),
  );
}
