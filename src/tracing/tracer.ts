import {
  type Attributes,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  type TextMapGetter,
  trace,
  type Tracer as SpanMaker,
} from '@opentelemetry/api';
import type { Log } from '../log.js';
import { RequestTrace } from './request-trace.js';

/** What is known of a request before a plugin sees it. Samplers may decide by these facts. */
export interface TracedRequest {
  readonly method: string;
  /** As sent, without the query. */
  readonly path: string;
  readonly scheme: 'http' | 'https';
  /** The path of the endpoint, such as `/weather/{city}`; null when no endpoint matches. */
  readonly route: string | null;
  readonly endpoint: string | null;
  /** Null for a request that was refused before it got an id. */
  readonly id: string | null;
  /** The client's address; null when it is unknown. */
  readonly client: string | null;
  /** Version of HTTP, such as `1.1`. */
  readonly httpVersion: string;
  readonly userAgent: string | undefined;
  /** Flat list [name, value, name, value, …]. */
  readonly rawHeaders: readonly string[];
  /** `performance.now()` milliseconds. */
  readonly startedAtMs: number;
}

/**
 * Makes the spans of requests with OpenTelemetry's API. The operator's SDK, preloaded into the process, decides
 * which spans are recorded, where they go, and which headers carry a trace.
 */
export class Tracer {
  private readonly spans: SpanMaker;

  /** @param incoming continue: the client's span is the parent. link: each request begins a trace, with a link */
  constructor(
    private readonly incoming: 'continue' | 'link',
    version: string,
    log: Log,
  ) {
    this.spans = trace.getTracer('backworks', version);
    if (!this.hasSdk()) log.warn({}, NO_SDK);
  }

  /** Begins the span of a request. Its parent is the client's span, if the headers name one. */
  begin(request: TracedRequest): RequestTrace {
    const { incoming } = this;
    const remote = propagation.extract(ROOT_CONTEXT, request.rawHeaders, RAW_HEADERS);
    const parent = trace.getSpanContext(remote);
    const links = incoming === 'link' && parent !== undefined ? [{ context: parent }] : [];
    const context = incoming === 'link' ? trace.deleteSpan(remote) : remote;
    const { method, route, startedAtMs } = request;
    const span = this.spans.startSpan(
      route === null ? method : `${method} ${route}`,
      { kind: SpanKind.SERVER, startTime: startedAtMs, attributes: attributesOf(request), links },
      context,
    );
    return new RequestTrace(this.spans, span, trace.setSpan(context, span));
  }

  /** Without an SDK, spans have no valid id. A span that does not end is not exported. */
  private hasSdk(): boolean {
    const probe = this.spans.startSpan('probe', { root: true });
    return isSpanContextValid(probe.spanContext());
  }
}

const NO_SDK =
  'tracing.enabled is true, but no OpenTelemetry SDK is registered in this process, so there are no spans: ' +
  'preload one with NODE_OPTIONS="--import ./FILE"';

/** Attributes by OpenTelemetry's semantic conventions for HTTP servers. The query is left out: it often has secrets. */
function attributesOf(request: TracedRequest): Attributes {
  return {
    'http.request.method': request.method,
    'url.scheme': request.scheme,
    'url.path': request.path,
    'http.route': request.route ?? undefined,
    'client.address': request.client ?? undefined,
    'network.protocol.version': request.httpVersion,
    'user_agent.original': request.userAgent,
    'backworks.endpoint': request.endpoint ?? undefined,
    'backworks.request_id': request.id ?? undefined,
  };
}

/** Reads headers from the flat list. Several lines of a name are one list, as HTTP says. */
const RAW_HEADERS: TextMapGetter<readonly string[]> = {
  get(headers, name) {
    const values = headers.filter(
      (_value, index) => index % 2 === 1 && headers[index - 1]!.toLowerCase() === name,
    );
    return values.length === 0 ? undefined : values.join(',');
  },
  keys: (headers) => headers.filter((_name, index) => index % 2 === 0).map((name) => name.toLowerCase()),
};
