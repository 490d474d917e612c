/** A request that a command makes for a plugin, without a server. */
export interface RecordedRequest {
  readonly method: string;
  /** Path and query, in the form of a request line. */
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | Buffer | null;
}
