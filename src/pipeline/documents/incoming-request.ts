import type { Readable } from 'node:stream';
import type { EndpointConfig } from '../../config/types.js';
import type { RequestTrace } from '../../tracing/request-trace.js';
import type { Awaitable, Caller, HeaderMap, PluginResponse } from '../../plugins/plugin.js';
import type { RouteMatch } from './route-match.js';

/** A request as the server received it: plain values, and a body that is read only when needed. */
export interface IncomingRequest extends Caller {
  /** Null when the request is not traced. */
  readonly trace: RequestTrace | null;
  readonly method: string;
  /** As sent: still percent-encoded, without the query. */
  readonly path: string;
  /** The query as sent, without "?"; "" when there is none. */
  readonly search: string;
  readonly scheme: 'http' | 'https';
  /** Flat list [name, value, name, value, …]. With a trace, traceparent names the request's own span. */
  readonly rawHeaders: readonly string[];
  /** The client, as far as trusted proxies tell. Null when the request did not come over a socket. */
  readonly remote: RemoteAddress | null;
  /** The other end of the connection: the client, or the last proxy. Null when the request did not come over a socket. */
  readonly peer: RemoteAddress | null;
  /** The member `tls` of request documents as JSON; null when the client has no certificate. */
  readonly tlsJson: string | null;
  /** What trusted proxies state about the client's request; null when none does. */
  readonly stated: StatedOrigin | null;
  /** The endpoint whose path and method match. */
  readonly endpoint: EndpointConfig | null;
  readonly match: RouteMatch;
  /** An answer of the routing itself (405, OPTIONS), used instead of an endpoint's. */
  readonly refusal: PluginResponse | null;
  /** Decides whether the endpoint is asked. Null: it is. */
  readonly gate: Gate | null;
  /** The plugin that gave the answer, or whose failure did. Written by the pipeline. */
  answeredBy: string | null;
  readonly hasBody: boolean;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
  /**
   * Reads the whole body.
   * @throws BackworksError BW_REQUEST_BODY_TOO_LARGE beyond the limit, BW_REQUEST_TIMEOUT when the client stops
   *   sending, BW_REQUEST_INVALID when the body ends early.
   */
  readBody(limits: BodyLimits): Promise<Buffer>;
  /**
   * The body as it arrives. It fails with BW_REQUEST_BODY_TOO_LARGE beyond the limit, and with BW_REQUEST_TIMEOUT
   * when the client stops sending.
   */
  bodyStream(limits: BodyLimits): Readable;
  /** Flat list of the header lines behind the body; complete when the body has ended. */
  readonly rawTrailers: readonly string[];
  /** Whether the client sends the body only when it is told to (`expect: 100-continue`). Reading the body tells it. */
  readonly awaitsContinue: boolean;
  /** Passes an interim answer 103 on, if the client can get one. @param rawHeaders flat list of its header lines */
  sendEarlyHints(rawHeaders: readonly string[]): void;
}

/** Decides, behind the before_request hooks, whether a request may go to its endpoint. */
export interface Gate {
  /**
   * @param document the request after the hooks; null when no plugin needs it
   * @returns the answer in place of the endpoint's; null when the endpoint is asked
   */
  pass(request: IncomingRequest, document: PassedRequest | null): Awaitable<PluginResponse | null>;
}

/** A request as the before_request hooks left it. */
export interface PassedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<HeaderMap>;
  /** A JSON object. */
  readonly context: string;
  /** Null when there is no body, or it is streamed. */
  readonly bytes: Buffer | null;
}

/** Limits of a request body, whether it is held for plugins or streamed. */
export interface BodyLimits {
  readonly bodyLimitBytes: number;
  /** Longest time between two reads. */
  readonly bodyTimeoutMs: number;
}

export interface RemoteAddress {
  readonly address: string;
  /** 0 when a proxy states only the address. */
  readonly port: number;
}

/** The request that a client sent to the first trusted proxy. Null where the proxies do not state it. */
export interface StatedOrigin {
  readonly scheme: 'http' | 'https' | null;
  readonly host: string | null;
}

/** The parts of a request document apart from the body. */
export type RequestHead = Pick<
  IncomingRequest,
  'id' | 'match' | 'search' | 'rawHeaders' | 'remote' | 'tlsJson'
>;
