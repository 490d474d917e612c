import type http from 'node:http';
import type { ProxyConfig } from '../config/proxy-types.js';
import { bodyLimits } from '../pipeline/documents/body-limits.js';
import { endToEnd } from '../pipeline/documents/end-to-end.js';
import { headerMap } from '../pipeline/documents/header-map.js';
import type { BodyLimits, IncomingRequest } from '../pipeline/documents/incoming-request.js';
import { formatQuery } from '../pipeline/documents/query.js';
import type { RequestDocument } from '../pipeline/documents/request-document.js';
import type { HeaderMap, PluginResponse } from '../plugins/plugin.js';
import { AnswerRewrite } from './answer-headers.js';
import { PathMapping } from './path-mapping.js';
import { upstreamHeaders } from './proxy-headers.js';
import type { Target } from './target.js';
import type { TargetGroup } from './target-group.js';
import { StreamedBody } from './streamed-body.js';
import { askUpstream, isIdempotent } from './upstream-exchange.js';
import { UpstreamFailure } from './upstream-failure.js';

/** A request as it goes to any target. */
interface Outbound {
  readonly client: IncomingRequest;
  readonly method: string;
  /** With the query; behind the path of the target's URL. */
  readonly path: string;
  /** Complete except for the Host header. */
  readonly headers: HeaderMap;
  /** The Host header that the client sent. */
  readonly clientHost: string | undefined;
  readonly body: StreamedBody | Buffer | null;
}

/**
 * An endpoint that other servers answer. The request's path and query are appended to the target's own
 * path: target http://host/base and request /legacy/a?b give http://host/base/legacy/a?b. Bytes pass
 * unchanged in both directions (no decompression, no redirects), streamed unless a plugin has read them.
 */
export class ProxyEndpoint {
  private readonly config: ProxyConfig;
  private readonly paths: PathMapping;
  private readonly rewrite: AnswerRewrite;

  constructor(readonly group: TargetGroup) {
    this.config = group.config;
    const { stripPrefix, addPrefix, rewrite } = group.config;
    this.paths = new PathMapping(stripPrefix, addPrefix);
    this.rewrite = new AnswerRewrite(rewrite, this.paths);
  }

  /**
   * Sends the request to a target, and after a failure to others as far as `retry` allows.
   * @param document the request after the plugins; null when none has seen it.
   * @param serverLimits the server's limits of request bodies.
   * @throws BackworksError BW_PROXY_UPSTREAM, BW_PROXY_TIMEOUT, BW_PROXY_UNAVAILABLE, BW_REQUEST_BODY_TOO_LARGE,
   *   BW_REQUEST_TIMEOUT.
   */
  async respond(
    request: IncomingRequest,
    document: RequestDocument | null,
    serverLimits: BodyLimits,
  ): Promise<PluginResponse> {
    const outbound = this.outbound(request, document, serverLimits);
    const { group } = this;
    group.budget.deposit();
    let target = group.first();
    const tried = [target];
    for (;;) {
      const outcome = await this.attempt(target, outbound);
      const next = this.isRepeatable(outcome, outbound) ? this.nextTarget(tried) : null;
      if (next === null) {
        if (outcome instanceof UpstreamFailure) throw outcome.toError(group.nameOf(target));
        return this.toResponse(outcome, target, outbound);
      }
      if (!(outcome instanceof UpstreamFailure)) outcome.destroy();
      tried.push(next);
      target = next;
    }
  }

  private outbound(
    client: IncomingRequest,
    document: RequestDocument | null,
    serverLimits: BodyLimits,
  ): Outbound {
    const { method, path } = document ?? client;
    const changed = document?.changedQuery ?? null;
    const search = changed === null ? client.search : formatQuery(changed);
    const mapped = this.paths.toTarget(path);
    const headers = document === null ? headerMap(client.rawHeaders) : { ...document.headers };
    const clientHost = upstreamHeaders(headers, client, this.config.stripPrefix);
    const isStreamed = client.hasBody && (document === null || document.isStreamed);
    const body = isStreamed
      ? new StreamedBody(client, bodyLimits(client, serverLimits))
      : (document?.bytes ?? null);
    frame(headers, body);
    return {
      client,
      method,
      path: search === '' ? mapped : `${mapped}?${search}`,
      headers,
      clientHost,
      body,
    };
  }

  /** @throws BackworksError when the client is the reason that there is no answer */
  private async attempt(target: Target, outbound: Outbound): Promise<http.IncomingMessage | UpstreamFailure> {
    const { client, method, path, headers, body } = outbound;
    const begun = target.begin();
    headers.host = this.hostFor(target, outbound);
    const span = client.trace?.upstream(method, target.address);
    span?.addTo(headers);
    try {
      const answer = await askUpstream({
        target: this.group.nameOf(target),
        options: { ...target.connection, method, path: target.base + path, headers, signal: client.signal },
        client,
        body,
        connectTimeoutMs: this.config.connectTimeoutMs,
        timeoutMs: this.config.timeoutMs,
      });
      checkAnswer(answer);
      target.answered(begun);
      span?.answered(answer.statusCode!);
      answer.once('close', () => target.end());
      return answer;
    } catch (error) {
      target.end();
      if (error instanceof UpstreamFailure) {
        target.failed(begun, error.what);
        span?.failed(error.toError(this.group.nameOf(target)));
        return error;
      }
      target.abandoned(begun);
      span?.failed(error);
      throw error;
    }
  }

  private hostFor(target: Target, { clientHost }: Outbound): string {
    return this.config.host === 'preserve' && clientHost !== undefined ? clientHost : target.host;
  }

  /** Whether another target may get the request after this outcome. */
  private isRepeatable(
    outcome: http.IncomingMessage | UpstreamFailure,
    { body, method }: Pick<Outbound, 'body' | 'method'>,
  ): boolean {
    const { on, statuses } = this.config.retry;
    if (outcome instanceof UpstreamFailure) {
      const { kind } = outcome;
      if (kind === 'invalid' || !on.includes(kind)) return false;
      if (kind !== 'connect' && !isIdempotent(method)) return false;
    } else if (!statuses.includes(outcome.statusCode!) || !isIdempotent(method)) return false;
    return !(body instanceof StreamedBody) || !body.isOpen;
  }

  /** The target for another attempt. Null when there is none, or `retry` does not allow another attempt. */
  private nextTarget(tried: readonly Target[]): Target | null {
    const { group, config } = this;
    if (tried.length >= config.retry.attempts) return null;
    const next = group.another(tried);
    if (next === null || !group.budget.withdraw()) return null;
    group.retries += 1;
    return next;
  }

  private toResponse(
    message: http.IncomingMessage,
    target: Target,
    { client, method, headers: sent }: Outbound,
  ): PluginResponse {
    const status = message.statusCode!;
    const headers = headerMap(endToEnd(message.rawHeaders));
    this.rewrite.apply(headers, target, sent.host as string);
    if (method !== 'HEAD') return { status, headers, body: message };
    message.resume();
    // The length of a body that was not sent is meaningless to a client that did not ask with HEAD.
    if (client.method !== 'HEAD') delete headers['content-length'];
    return { status, headers, body: null };
  }
}

/** Sets content-length or chunked transfer; Node alone would send some methods without framing. */
function frame(headers: HeaderMap, body: StreamedBody | Buffer | null): void {
  if (body instanceof StreamedBody) {
    if (headers['content-length'] === undefined) headers['transfer-encoding'] = 'chunked';
    if (body.isHeldBack) headers['expect'] = '100-continue';
    return;
  }
  delete headers['content-length'];
  if (body !== null) headers['content-length'] = String(body.length);
}

/** @throws UpstreamFailure when the answer cannot be passed on */
function checkAnswer(message: http.IncomingMessage): void {
  const status = message.statusCode!;
  if (status < 200 || status > 599) throw unusable(message, `with status ${status}`);
  const coding = message.headers['transfer-encoding'];
  // The client gets the body in chunks or with its length, and would take any other coding for the body itself.
  if (coding !== undefined && coding.toLowerCase() !== 'chunked')
    throw unusable(message, `in the transfer coding ${JSON.stringify(coding)}`);
}

function unusable(message: http.IncomingMessage, how: string): UpstreamFailure {
  message.destroy();
  return new UpstreamFailure('invalid', `answered ${how}`);
}
