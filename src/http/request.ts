import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import type { EndpointConfig } from '../config/types.js';
import type { BodyLimits, Gate, RemoteAddress } from '../pipeline/documents/incoming-request.js';
import type { PluginSet } from '../pipeline/plugin-set.js';
import type { RouteMatch } from '../pipeline/documents/route-match.js';
import type { Caller, PluginResponse } from '../plugins/plugin.js';
import type { RequestTrace } from '../tracing/request-trace.js';
import type { EndpointRules } from '../rules/endpoint-rules.js';
import type { RuledRequest } from '../rules/rule.js';
import { Connection } from './connection.js';
import { arriving, collect, isWaiting, requestBody } from './body.js';
import { sendEarlyHints } from './early-hints.js';
import type { ObservedRequest } from './observed-request.js';
import { hasBody, readHead, type RequestHead } from './request-head.js';
import { requestId } from './request-id.js';
import type { ClientOrigin, TrustedProxies } from './trusted-proxies.js';

/** The target of a request, split into parts. */
export interface Target {
  readonly scheme: 'http' | 'https';
  /** Percent-encoded, without the query. */
  readonly path: string;
  /** Without "?". */
  readonly search: string;
}

/** A request as the pipeline receives it. With a socket, headers and body come straight from Node. */
export class ServerRequest implements RuledRequest {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly search: string;
  readonly scheme: 'http' | 'https';
  rawHeaders: readonly string[];
  readonly hasBody: boolean;
  readonly head: RequestHead;
  /** Set before the request goes to the pipeline. */
  match!: RouteMatch;
  refusal: PluginResponse | null = null;
  stated: ClientOrigin | null = null;
  answeredBy: string | null = null;
  trace: RequestTrace | null = null;
  /** Set before the request is routed, and again when it is. Null: no rules. */
  rules: EndpointRules | null = null;
  /** Set before the request is routed; null while nothing observes requests. */
  observed: ObservedRequest | null = null;
  /** Null when the request did not come over a socket. */
  outgoing: ServerResponse | null = null;
  cancelled = false;
  call: Caller['call'] = null;
  private readonly source: IncomingMessage | Request;
  private plugins: PluginSet | null;
  private abort: AbortController | null = null;

  /**
   * @param source Node's request, or a Fetch request when it did not come over a socket
   * @param plugins the plugins it begins with; end() releases them
   * @param head the result of acceptHead(); absent when the request did not come over a socket
   */
  constructor(
    source: IncomingMessage | Request,
    { scheme, path, search }: Target,
    plugins: PluginSet,
    head: RequestHead = readHead('rawHeaders' in source ? source.rawHeaders : [...source.headers].flat()),
  ) {
    this.source = source;
    this.plugins = plugins;
    this.method = source.method!;
    this.path = path;
    this.search = search;
    this.scheme = scheme;
    this.head = head;
    this.rawHeaders = head.endToEnd;
    this.hasBody = 'rawHeaders' in source ? hasBody(source, head) : source.body !== null;
    this.id = requestId(head.requestId);
  }

  get endpoint(): EndpointConfig | null {
    return this.match.endpoint;
  }

  joinTrace(trace: RequestTrace): void {
    this.trace = trace;
    this.rawHeaders = trace.headers(this.rawHeaders);
  }

  get gate(): Gate | null {
    return this.rules === null ? null : this.rules.gate;
  }

  /** Cancels the request: no further hook is called. Idempotent. */
  end(): void {
    this.plugins?.end();
    this.plugins = null;
  }

  /** The client has disconnected. */
  cancel(): void {
    this.cancelled = true;
    this.call?.cancel();
    this.abort?.abort();
  }

  get signal(): AbortSignal {
    if (!('rawHeaders' in this.source)) return this.source.signal;
    this.abort ??= new AbortController();
    if (this.cancelled) this.abort.abort();
    return this.abort.signal;
  }

  get remote(): RemoteAddress | null {
    return this.stated ?? this.peer;
  }

  /** Believes what the proxies in front of the server state about the client. */
  believe(proxies: TrustedProxies): void {
    this.stated = this.peer === null ? null : proxies.origin(this.peer.address, this.rawHeaders);
  }

  get peer(): RemoteAddress | null {
    return 'socket' in this.source ? Connection.clientOf(this.source).peer.remote : null;
  }

  get tlsJson(): string | null {
    return 'socket' in this.source ? Connection.clientOf(this.source).peer.tlsJson : null;
  }

  readBody(limits: BodyLimits): Promise<Buffer> {
    return collect(this.stream(), limits);
  }

  bodyStream(limits: BodyLimits): Readable {
    return arriving(this.stream(), limits);
  }

  get rawTrailers(): readonly string[] {
    return 'rawTrailers' in this.source ? this.source.rawTrailers : [];
  }

  get awaitsContinue(): boolean {
    return 'rawHeaders' in this.source && isWaiting(this.source);
  }

  sendEarlyHints(rawHeaders: readonly string[]): void {
    if (this.outgoing !== null) sendEarlyHints(this.outgoing, rawHeaders);
  }

  private stream(): Readable {
    if ('rawHeaders' in this.source) {
      requestBody(this.source);
      this.observed?.countRequestBody(this.source);
      return this.source;
    }
    return Readable.fromWeb(this.source.body as NodeReadableStream<Uint8Array>);
  }
}

/** The target from a URL that Hono has parsed and normalized. @param scheme replaces that of the URL */
export function targetOf(url: string, scheme?: Target['scheme']): Target {
  const start = url.indexOf('/', url.indexOf('://') + 3);
  const hash = url.indexOf('#', start);
  const end = hash === -1 ? url.length : hash;
  const query = url.indexOf('?', start);
  return {
    scheme: scheme ?? (url.startsWith('https:') ? 'https' : 'http'),
    path: url.slice(start, query === -1 ? end : query),
    search: query === -1 ? '' : url.slice(query + 1, end),
  };
}

/** Characters that a URL parser leaves unchanged, apart from dot segments. */
const PLAIN_TARGET = /^\/[!$-;=?-[\]_a-z~]*$/;
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:[/?]|$)/i;
const PLAIN_HOST = /^[a-z0-9._-]+(?::(?:\d{1,4}|[1-5]\d{4}))?$/;

/**
 * The target of an ordinary request. Null when its target or Host header is unusual: then a URL parser has
 * to normalize or reject them.
 */
export function plainTarget(url: string, host: string | undefined, scheme: Target['scheme']): Target | null {
  if (host !== undefined && !PLAIN_HOST.test(host)) return null;
  if (!PLAIN_TARGET.test(url) || DOT_SEGMENT.test(url)) return null;
  const query = url.indexOf('?');
  if (query === -1) return { scheme, path: url, search: '' };
  return { scheme, path: url.slice(0, query), search: url.slice(query + 1) };
}
