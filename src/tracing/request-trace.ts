import {
  type Context,
  isSpanContextValid,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer as SpanMaker,
} from '@opentelemetry/api';
import type { CallError, CallTrace } from '../call-ticket.js';
import { toBackworksError } from '../errors.js';

/** How a request ended. */
export interface TracedEnd {
  readonly status: number;
  /** False when the connection was closed before the response was sent. */
  readonly isComplete: boolean;
  readonly responseBytes: number;
  /** The plugin that gave the answer, or whose failure did; null when none did. */
  readonly plugin: string | null;
  /** `performance.now()` milliseconds. */
  readonly endedAtMs: number;
}

/** The exchange with a proxy target, from its beginning to the head of the answer. */
export interface UpstreamSpan {
  /** Puts the span into the headers for the target, in place of those of the client. */
  addTo(headers: Record<string, unknown>): void;
  answered(status: number): void;
  failed(error: unknown): void;
}

/** The span of one request. The spans of calls and of proxy targets are its children. */
export class RequestTrace implements CallTrace {
  constructor(
    private readonly spans: SpanMaker,
    private readonly span: Span,
    private readonly context: Context,
  ) {}

  /** 32 hexadecimal digits; null when no SDK makes spans and the client names no trace. */
  get traceId(): string | null {
    const context = this.span.spanContext();
    return isSpanContextValid(context) ? context.traceId : null;
  }

  /**
   * The headers that plugins and proxy targets receive: the client's, in which the request's own span is the parent.
   * @param raw flat list [name, value, name, value, …]
   */
  headers(raw: readonly string[]): readonly string[] {
    const carrier = this.inject(this.context);
    const own = Object.entries(carrier);
    if (own.length === 0) return raw;
    const replaced = this.carriedNames(carrier);
    const kept = raw.filter((_text, index) => !replaced.has(raw[index - (index % 2)]!.toLowerCase()));
    return [...kept, ...own.flat()];
  }

  called(plugin: string, hook: string, durationMs: number, error: CallError | null): void {
    const now = performance.now();
    const span = this.spans.startSpan(
      `${plugin} ${hook}`,
      {
        kind: SpanKind.INTERNAL,
        startTime: now - durationMs,
        attributes: { 'backworks.plugin': plugin, 'backworks.hook': hook },
      },
      this.context,
    );
    if (error !== null) this.fail(span, error);
    span.end(now);
  }

  /** Begins the exchange with a proxy target. */
  upstream(method: string, target: { readonly hostname: string; readonly port: number }): UpstreamSpan {
    const attributes = {
      'http.request.method': method,
      'server.address': target.hostname,
      'server.port': target.port,
    };
    const span = this.spans.startSpan(method, { kind: SpanKind.CLIENT, attributes }, this.context);
    const carrier = this.inject(trace.setSpan(this.context, span));
    return {
      addTo: (headers) => {
        if (Object.keys(carrier).length === 0) return;
        for (const name of this.carriedNames(carrier)) delete headers[name];
        Object.assign(headers, carrier);
      },
      answered: (status) => {
        span.setAttribute('http.response.status_code', status);
        if (status >= 400) {
          span.setAttribute('error.type', String(status));
          span.setStatus({ code: SpanStatusCode.ERROR });
        }
        span.end();
      },
      failed: (error) => {
        this.fail(span, toBackworksError(error));
        span.end();
      },
    };
  }

  end({ status, isComplete, responseBytes, plugin, endedAtMs }: TracedEnd): void {
    const { span } = this;
    span.setAttributes({
      'http.response.status_code': status,
      'http.response.body.size': responseBytes,
      'backworks.plugin': plugin ?? undefined,
    });
    if (status >= 500) span.setAttribute('error.type', String(status));
    else if (!isComplete) span.setAttribute('error.type', 'connection_closed');
    if (status >= 500 || !isComplete) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(endedAtMs);
  }

  private fail(span: Span, { code, message }: CallError): void {
    span.setAttribute('error.type', code);
    span.setStatus({ code: SpanStatusCode.ERROR, message });
  }

  private inject(context: Context): Record<string, string> {
    const carrier: Record<string, string> = {};
    propagation.inject(context, carrier);
    return carrier;
  }

  /** Names of the headers that carry a trace, in lower case. */
  private carriedNames(carrier: Record<string, string>): ReadonlySet<string> {
    const names = [...propagation.fields(), ...Object.keys(carrier)];
    return new Set(names.map((name) => name.toLowerCase()));
  }
}
