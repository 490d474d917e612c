import type http from 'node:http';
import type https from 'node:https';
import { Readable } from 'node:stream';
import { urlToHttpOptions } from 'node:url';
import { BackworksError } from '../errors.js';
import type { PluginResponse } from '../plugins/plugin.js';
import { endToEnd } from './end-to-end.js';
import { bodyLimits } from './body-limits.js';
import { headerMap } from './documents/header-map.js';
import type { BodyLimits, IncomingRequest } from './documents/incoming-request.js';
import { formatQuery } from './documents/query.js';
import type { RequestDocument } from './documents/request-document.js';
import type { PreparedEndpoint } from './prepared-endpoint.js';
import { upstreamHeaders } from './proxy-headers.js';
import { UPSTREAM_AGENTS } from './upstream-agent.js';
import { askUpstream } from './upstream-exchange.js';

/**
 * An endpoint that another server answers. The request's path and query are appended to the target's own
 * path: target http://host/base and request /legacy/a?b give http://host/base/legacy/a?b. Bytes pass
 * unchanged in both directions (no decompression, no redirects), streamed unless a plugin has read them.
 */
export class ProxyEndpoint implements PreparedEndpoint {
  private readonly name: string;
  private readonly timeoutMs: number;
  private readonly base: string;
  private readonly connection: https.RequestOptions;
  private readonly address: { readonly hostname: string; readonly port: number };

  /**
   * @param timeoutMs how long the target may be silent, before and during its answer.
   * @throws BackworksError BW_CONFIG_INVALID when the target is not an http or https URL.
   */
  constructor(name: string, target: string, timeoutMs: number) {
    this.name = name;
    this.timeoutMs = timeoutMs;
    const url = URL.canParse(target) ? new URL(target) : null;
    if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
      throw new BackworksError(
        'BW_CONFIG_INVALID',
        `endpoint ${name}: proxy target is not an http or https URL`,
      );
    }
    this.base = url.pathname.replace(/\/$/, '');
    const { protocol, hostname, port, auth } = urlToHttpOptions(url);
    const standardPort = url.protocol === 'http:' ? 80 : 443;
    this.address = { hostname: url.hostname, port: url.port === '' ? standardPort : Number(url.port) };
    this.connection = {
      protocol,
      hostname,
      port,
      auth,
      agent: url.protocol === 'http:' ? UPSTREAM_AGENTS.http : UPSTREAM_AGENTS.https,
    };
  }

  /**
   * @param document the request after the plugins; null when none has seen it.
   * @param serverLimits the server's limits of request bodies.
   * @throws BackworksError BW_PROXY_UPSTREAM, BW_PROXY_TIMEOUT, BW_REQUEST_BODY_TOO_LARGE, BW_REQUEST_TIMEOUT.
   */
  async respond(
    request: IncomingRequest,
    document: RequestDocument | null,
    serverLimits: BodyLimits,
  ): Promise<PluginResponse> {
    const options = this.options(request, document);
    const streams = request.hasBody && (document === null || document.isStreamed);
    const body = streams ? request.bodyStream(bodyLimits(request, serverLimits)) : (document?.bytes ?? null);
    frame(options.headers, body);
    const span = request.trace?.upstream(options.method, this.address);
    span?.addTo(options.headers);
    try {
      const { name: endpoint, timeoutMs } = this;
      const answer = await askUpstream({
        endpoint,
        options,
        body,
        trailers: () => request.rawTrailers,
        timeoutMs,
      });
      span?.answered(answer.statusCode!);
      return toResponse(answer, options.method, request.method);
    } catch (error) {
      const explained = this.explain(error, request.signal);
      span?.failed(explained);
      throw explained;
    }
  }

  private options(request: IncomingRequest, document: RequestDocument | null): UpstreamOptions {
    const changed = document?.changedQuery ?? null;
    const search = changed === null ? request.search : formatQuery(changed);
    const path = this.base + (document ?? request).path;
    const headers = document === null ? headerMap(request.rawHeaders) : { ...document.headers };
    return {
      ...this.connection,
      method: (document ?? request).method,
      path: search === '' ? path : `${path}?${search}`,
      headers: upstreamHeaders(headers, request),
      signal: request.signal,
    };
  }

  private explain(error: unknown, signal: AbortSignal): BackworksError {
    if (error instanceof BackworksError) return error;
    if (signal.aborted)
      return new BackworksError('BW_REQUEST_INVALID', 'the client disconnected', { cause: error });
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    return new BackworksError(
      'BW_PROXY_UPSTREAM',
      `the target of endpoint ${this.name} did not answer (${code})`,
      {
        cause: error,
      },
    );
  }
}

interface UpstreamOptions extends https.RequestOptions {
  method: string;
  headers: ReturnType<typeof upstreamHeaders>;
}

/** Sets content-length or chunked transfer; Node alone would send some methods without framing. */
function frame(headers: UpstreamOptions['headers'], body: Readable | Buffer | null): void {
  if (body instanceof Readable) {
    if (headers['content-length'] === undefined) headers['transfer-encoding'] = 'chunked';
  } else {
    delete headers['content-length'];
    if (body !== null) headers['content-length'] = String(body.length);
  }
}

/**
 * @param asked the method sent to the target
 * @param method the client's method; a plugin may have changed it for the target
 */
function toResponse(upstream: http.IncomingMessage, asked: string, method: string): PluginResponse {
  const status = upstream.statusCode!;
  if (status < 200 || status > 599) throw unusable(upstream, `with status ${status}`);
  const coding = upstream.headers['transfer-encoding'];
  // The client gets the body in chunks or with its length, and would take any other coding for the body itself.
  if (coding !== undefined && coding.toLowerCase() !== 'chunked')
    throw unusable(upstream, `in the transfer coding ${JSON.stringify(coding)}`);
  const headers = headerMap(endToEnd(upstream.rawHeaders));
  if (asked !== 'HEAD') return { status, headers, body: upstream };
  upstream.resume();
  // The length of a body that was not sent is meaningless to a client that did not ask with HEAD.
  if (method !== 'HEAD') delete headers['content-length'];
  return { status, headers, body: null };
}

function unusable(upstream: http.IncomingMessage, how: string): BackworksError {
  upstream.destroy();
  return new BackworksError('BW_PROXY_UPSTREAM', `the proxy target answered ${how}`);
}
