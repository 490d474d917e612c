import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable, pipeline } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import { randomUUID } from 'node:crypto';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { EndpointConfig } from '../config/types.js';
import type { Log } from '../log.js';
import { rawHeader } from '../pipeline/header-map.js';
import type { IncomingRequest, RemoteAddress } from '../pipeline/incoming-request.js';
import type { PluginSet } from '../pipeline/plugin-set.js';
import type { HeaderMap, PluginResponse } from '../plugins/plugin.js';
import { announcesBody, checkEncoding, checkLength, collect, limited } from './request-body.js';
import type { RouteMatch } from './routes.js';

type ResponseBody = ConstructorParameters<typeof Response>[0];
type ResponseHeaders = [string, string][] | Record<string, string>;

/** A Hono request as the pipeline takes it. Headers and body come straight from Node where there is a socket. */
export class ServerRequest implements IncomingRequest {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly search: string;
  readonly rawHeaders: readonly string[];
  endpoint: EndpointConfig | null = null;
  params: Readonly<Record<string, string>> = {};
  refusal: PluginResponse | null = null;
  readonly #raw: Request;
  readonly #incoming: IncomingMessage | undefined;
  #plugins: PluginSet | null;

  /**
   * @param plugins what it begins with; it gives them back with end()
   * @param incoming absent when the request did not come over a socket.
   */
  constructor(raw: Request, plugins: PluginSet, incoming: IncomingMessage | undefined) {
    this.#plugins = plugins;
    this.#raw = raw;
    this.#incoming = incoming;
    this.method = raw.method;
    this.rawHeaders = incoming === undefined ? [...raw.headers].flat() : incoming.rawHeaders;
    this.id = requestId(this.rawHeaders);
    const { url } = raw;
    const start = url.indexOf('/', url.indexOf('://') + 3);
    const hash = url.indexOf('#', start);
    const end = hash === -1 ? url.length : hash;
    const query = url.indexOf('?', start);
    this.path = url.slice(start, query === -1 ? end : query);
    this.search = query === -1 ? '' : url.slice(query + 1, end);
  }

  route({ endpoint, params }: RouteMatch, refusal: PluginResponse | null): void {
    this.endpoint = endpoint;
    this.params = params;
    this.refusal = refusal;
  }

  /** No plugin is called for it any more. Idempotent. */
  end(): void {
    this.#plugins?.end();
    this.#plugins = null;
  }

  get scheme(): 'http' | 'https' {
    return this.#raw.url.startsWith('https:') ? 'https' : 'http';
  }

  get remote(): RemoteAddress | null {
    const socket = this.#incoming?.socket;
    if (socket?.remoteAddress === undefined) return null;
    return { address: socket.remoteAddress, port: socket.remotePort ?? 0 };
  }

  get hasBody(): boolean {
    return this.#incoming === undefined ? this.#raw.body !== null : announcesBody(this.rawHeaders);
  }

  get signal(): AbortSignal {
    return this.#raw.signal;
  }

  async readBody(limitBytes: number): Promise<Buffer> {
    checkLength(this.rawHeaders, limitBytes);
    checkEncoding(this.rawHeaders);
    return collect(this.#source(), limitBytes);
  }

  bodyStream(limitBytes: number): Readable {
    checkLength(this.rawHeaders, limitBytes);
    return limited(this.#source(), limitBytes);
  }

  #source(): Readable {
    return this.#incoming ?? Readable.fromWeb(this.#raw.body as NodeReadableStream<Uint8Array>);
  }
}

/** The client's x-request-id when it is 1 to 128 visible ASCII characters, else a new one. */
export function requestId(rawHeaders: readonly string[]): string {
  const given = rawHeader(rawHeaders, 'x-request-id');
  return given !== undefined && /^[\x21-\x7e]{1,128}$/.test(given) ? given : randomUUID();
}

/**
 * Writes the pipeline's answer. A stream goes to the socket here, byte for byte; everything else becomes
 * a Response that @hono/node-server writes in one piece.
 * @param outgoing absent when the request did not come over a socket.
 */
export function toResponse(
  { status, headers, body }: PluginResponse,
  request: ServerRequest,
  outgoing: ServerResponse | undefined,
  log: Log,
): Response {
  headers['x-request-id'] = request.id;
  if (request.method === 'HEAD' || status === 204 || status === 205 || status === 304) {
    // The target of a proxy sent no body either; reading its end frees the connection.
    if (body instanceof Readable) body.resume();
    else if (body !== null && request.method === 'HEAD')
      headers['content-length'] = String(Buffer.byteLength(body));
    return new Response(null, { status, headers: headersInit(headers) });
  }
  if (!(body instanceof Readable))
    return new Response(body as ResponseBody, { status, headers: headersInit(headers) });
  if (outgoing === undefined) {
    return new Response(Readable.toWeb(body) as ResponseBody, { status, headers: headersInit(headers) });
  }
  outgoing.writeHead(status, headers).flushHeaders();
  pipeline(body, outgoing, (error) => {
    if (error) log.debug({ requestId: request.id, err: error }, 'a streamed answer broke off');
  });
  return RESPONSE_ALREADY_SENT;
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
