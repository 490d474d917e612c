import http from 'node:http';
import https from 'node:https';
import { Readable, pipeline } from 'node:stream';
import { urlToHttpOptions } from 'node:url';
import { BackworksError } from '../errors.js';
import type { PluginResponse } from '../plugins/plugin.js';
import { endToEnd } from './end-to-end.js';
import { headerMap } from './documents/header-map.js';
import type { IncomingRequest } from './documents/incoming-request.js';
import { formatQuery } from './documents/query.js';
import type { RequestDocument } from './documents/request-document.js';
import { upstreamHeaders } from './proxy-headers.js';

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
const httpAgent = new http.Agent({ keepAlive: true });
const httpsAgent = new https.Agent({ keepAlive: true });

/**
 * An endpoint that another server answers. The request's whole path and query follow the target's own
 * path: target http://host/base and request /legacy/a?b ask for http://host/base/legacy/a?b. Bytes pass
 * unchanged both ways (no decompression, no redirect is followed), streamed unless a plugin has read them.
 */
export class ProxyEndpoint {
  private readonly name: string;
  private readonly timeoutMs: number;
  private readonly base: string;
  private readonly connection: https.RequestOptions;

  /**
   * @param timeoutMs how long the target may be silent, before and between the parts of its answer.
   * @throws BackworksError BW_CONFIG_INVALID when the target is no http or https URL.
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
    this.connection = {
      protocol,
      hostname,
      port,
      auth,
      agent: url.protocol === 'http:' ? httpAgent : httpsAgent,
    };
  }

  /**
   * @param document the request as plugins left it; null when none has looked at it.
   * @param bodyLimitBytes how long a streamed request body may be.
   * @throws BackworksError BW_PROXY_UPSTREAM, BW_PROXY_TIMEOUT, BW_REQUEST_BODY_TOO_LARGE.
   */
  async respond(
    request: IncomingRequest,
    document: RequestDocument | null,
    bodyLimitBytes: number,
  ): Promise<PluginResponse> {
    const options = this.options(request, document);
    const body =
      document !== null ? document.bytes : request.hasBody ? request.bodyStream(bodyLimitBytes) : null;
    frame(options.headers, body);
    try {
      return toResponse(await this.send(options, body, true), options.method, request.method);
    } catch (error) {
      throw this.explain(error, request.signal);
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
      timeout: this.timeoutMs,
    };
  }

  private send(
    options: UpstreamOptions,
    body: Readable | Buffer | null,
    mayRetry: boolean,
  ): Promise<http.IncomingMessage> {
    return new Promise((resolve, reject) => {
      const upstream = (options.protocol === 'https:' ? https : http).request(options);
      let answer: http.IncomingMessage | null = null;
      upstream.once('response', (response) => resolve((answer = response)));
      upstream.on('timeout', () => {
        // Bytes that wait here for a slow client are not the target's silence.
        if (answer === null || answer.readableLength === 0) upstream.destroy(this.timedOut());
      });
      upstream.on('error', (error: NodeJS.ErrnoException) => {
        // A kept-alive connection may have been closed by the target just before it was used again.
        const stale = upstream.reusedSocket && error.code === 'ECONNRESET';
        const repeatable = !(body instanceof Readable) && IDEMPOTENT.has(options.method);
        if (stale && repeatable && mayRetry) this.send(options, body, false).then(resolve, reject);
        else reject(error);
      });
      if (body instanceof Readable) pipeline(body, upstream, (error) => error && reject(error));
      else upstream.end(body ?? undefined);
    });
  }

  private timedOut(): BackworksError {
    const message = `the target of endpoint ${this.name} was silent for ${this.timeoutMs} ms`;
    return new BackworksError('BW_PROXY_TIMEOUT', message);
  }

  private explain(error: unknown, signal: AbortSignal): BackworksError {
    if (error instanceof BackworksError) return error;
    if (signal.aborted)
      return new BackworksError('BW_REQUEST_INVALID', 'the client went away', { cause: error });
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

/** Says how long the body is, or that it comes in chunks; Node alone would send some methods unframed. */
function frame(headers: UpstreamOptions['headers'], body: Readable | Buffer | null): void {
  if (body instanceof Readable) {
    if (headers['content-length'] === undefined) headers['transfer-encoding'] = 'chunked';
  } else {
    delete headers['content-length'];
    if (body !== null) headers['content-length'] = String(body.length);
  }
}

/**
 * @param asked the method that the target was asked with
 * @param method the client's: a plugin may have changed it for the target
 */
function toResponse(upstream: http.IncomingMessage, asked: string, method: string): PluginResponse {
  const status = upstream.statusCode!;
  // Whoever reads the body hears of its errors; this keeps one that comes before that from being fatal.
  upstream.on('error', () => {});
  if (status < 200 || status > 599) {
    upstream.destroy();
    throw new BackworksError('BW_PROXY_UPSTREAM', `the proxy target answered with status ${status}`);
  }
  const headers = headerMap(endToEnd(upstream.rawHeaders));
  if (asked !== 'HEAD') return { status, headers, body: upstream };
  upstream.resume();
  // The length of a body that was not sent concerns a client that asked for none either.
  if (method !== 'HEAD') delete headers['content-length'];
  return { status, headers, body: null };
}
