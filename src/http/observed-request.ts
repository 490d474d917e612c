import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { AccessRecord } from '../access-log/record.js';
import { CLIENT_CLOSED, type EndpointNumbers } from '../metrics/http-metrics.js';
import type { EndpointConfig } from '../config/types.js';
import type { IncomingRequest } from '../pipeline/documents/incoming-request.js';
import { http2Stream } from './http2-stream.js';
import { peerOf } from './peer.js';
import type { RequestTrace } from '../tracing/request-trace.js';
import { sentHeader } from './response-head.js';

/** What happens with the facts about requests: they are counted, logged, traced. */
export interface RequestObserver {
  /** The endpoint of a request is known. Not called for a request that is refused before it is routed. */
  routed(request: ObservedRequest, endpoint: EndpointConfig | null): void;
  /** The response has ended, or the client has closed the connection. Called once for each request. */
  ended(request: ObservedRequest): void;
}

/** A request that an observer may trace. */
export interface ObservableRequest extends IncomingRequest {
  /** Records what happens for the request from now on. Call before a document of it is made. */
  joinTrace(trace: RequestTrace): void;
}

const OBSERVED = Symbol('the facts about a request');
type Marked = ServerResponse & { [OBSERVED]?: ObservedRequest };

/**
 * The facts about a request for metrics and the access log, from its head to the end of its response. Exists only
 * while something observes requests.
 */
export class ObservedRequest implements AccessRecord {
  /** From the head of the request to the end of the response. */
  durationMs = 0;
  readonly startedAtMs = performance.now();
  /** Null for a request that was refused before it was routed. */
  request: ObservableRequest | null = null;
  /** Bytes of the response body that were given to the connection, for a request that was routed. */
  sentBytes = 0;
  /** Where the request is counted; null while it is not. */
  numbers: EndpointNumbers | null = null;
  /** Bytes that were read of a request body. */
  private readBytes = 0;
  private isCounted = false;
  private isRouted = false;
  private hasEnded = false;

  private constructor(
    readonly incoming: IncomingMessage,
    readonly outgoing: ServerResponse,
    private readonly observer: RequestObserver,
  ) {}

  static begin(incoming: IncomingMessage, outgoing: ServerResponse, observer: RequestObserver): void {
    const observed = new ObservedRequest(incoming, outgoing, observer);
    (outgoing as Marked)[OBSERVED] = observed;
    outgoing.on('close', () => observed.end());
  }

  /** The facts that a response belongs to; null when they are not observed. @param request set as the request */
  static of(outgoing: ServerResponse, request: ObservableRequest | null = null): ObservedRequest | null {
    const observed = (outgoing as Marked)[OBSERVED] ?? null;
    if (observed !== null) observed.request ??= request;
    return observed;
  }

  routed(endpoint: EndpointConfig | null): void {
    this.isRouted = true;
    this.observer.routed(this, endpoint);
  }

  /**
   * Idempotent. Node does not emit `close` for a response that waits behind another one when the connection
   * closes, so the connection calls this method too.
   */
  end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.durationMs = performance.now() - this.startedAtMs;
    this.observer.ended(this);
  }

  /** Counts the bytes of a request body. Call when something begins to read the body, before it flows. Idempotent. */
  countRequestBody(body: Readable): void {
    if (this.isCounted) return;
    this.isCounted = true;
    body.on('data', (chunk: Buffer) => (this.readBytes += chunk.length));
  }

  /** Counts the bytes of a response body that is a stream. Call when the stream is about to flow. */
  countResponseBody(body: Readable): void {
    body.on('data', (chunk: Buffer | string) => (this.sentBytes += Buffer.byteLength(chunk)));
  }

  /** The status of the response; 499 when the client closed the connection before the response began. */
  get status(): number {
    return this.outgoing.headersSent ? this.outgoing.statusCode : CLIENT_CLOSED;
  }

  /** Bytes of the request body. A body that nothing reads is not counted unless its length is known. */
  get requestBytes(): number {
    if (this.request?.hasBody === false) return 0;
    const { headers, complete } = this.incoming;
    const length = complete ? Number(headers['content-length']) : NaN;
    return Number.isNaN(length) ? this.readBytes : length;
  }

  /** Bytes of the response body. */
  get responseBytes(): number {
    if (this.request !== null || this.incoming.method === 'HEAD') return this.sentBytes;
    return Number(sentHeader(this.outgoing, 'content-length') ?? 0);
  }

  get isComplete(): boolean {
    return (http2Stream(this.incoming) ?? this.outgoing).writableFinished;
  }

  get requestId(): string | null {
    return this.request?.id ?? sentHeader(this.outgoing, 'x-request-id');
  }

  get client(): string | null {
    return (this.request?.remote ?? peerOf(this.incoming).remote)?.address ?? null;
  }

  get method(): string {
    return this.incoming.method!;
  }

  get path(): string {
    return this.request?.path ?? this.incoming.url!.split('?', 1)[0]!;
  }

  get query(): string {
    return this.request?.search ?? this.incoming.url!.split('?').slice(1).join('?');
  }

  get protocol(): string {
    return `HTTP/${this.incoming.httpVersion}`;
  }

  get endpointName(): string | null {
    return this.isRouted ? (this.request?.endpoint?.name ?? null) : null;
  }

  get traceId(): string | null {
    return this.request?.trace?.traceId ?? null;
  }

  get plugin(): string | null {
    return this.request?.answeredBy ?? null;
  }

  get rawHeaders(): readonly string[] {
    return this.incoming.rawHeaders;
  }
}
