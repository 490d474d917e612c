/** A request to drive a plugin with. */
export interface RecordedRequest {
  readonly method: string;
  /** Path and query, as they stand in a request line. */
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | null;
}
