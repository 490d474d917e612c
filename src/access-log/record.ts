/** The facts about a request that has ended, for its line in the access log. */
export interface AccessRecord {
  /** Null for a request that was refused before it got an id. */
  readonly requestId: string | null;
  /** Null when the request is not traced. */
  readonly traceId: string | null;
  /** The client's address; null when it is unknown. */
  readonly client: string | null;
  readonly method: string;
  /** As sent: percent-encoded, without the query. */
  readonly path: string;
  /** As sent, without "?". */
  readonly query: string;
  /** Such as `HTTP/1.1`. */
  readonly protocol: string;
  readonly status: number;
  /** Bytes of the response body. */
  readonly responseBytes: number;
  readonly durationMs: number;
  /** False when the connection was closed before the response was sent. */
  readonly isComplete: boolean;
  readonly endpointName: string | null;
  /** The plugin that gave the answer, or whose failure did. */
  readonly plugin: string | null;
  /** Flat list [name, value, name, value, …]. */
  readonly rawHeaders: readonly string[];
}
