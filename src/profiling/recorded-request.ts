/** A request that drives a plugin in a profile. */
export interface RecordedRequest {
  readonly method: string;
  /** Path and query, in the form of a request line. */
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | null;
}
