import type { RecordedLine } from '../authoring/plugin-recorder.js';
import type { JsonValue } from '../config/types.js';
import type { PluginFailure } from '../errors.js';
import type { NativeProcess, Refusal } from '../native/plugin.js';
import type { PluginMetadata } from '../plugins/metadata.js';
import type { PluginHealth } from '../plugins/plugin.js';
import type { TestBody, TestRequestDocument, TestResponseDocument } from './documents.js';
import type { TestFetch } from './fake-responses.js';
import type { TestOperation } from './recorded.js';

/** A response of the plugin, as the server would send it. */
export interface TestResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: TestBody;
}

/** What before_request did. */
export interface RequestOutcome {
  /** The response that ends the request; null when it goes on. */
  readonly response: TestResponse | null;
  /** Whether the plugin changed the request. */
  readonly changed: boolean;
  /** The request as the next plugin gets it. */
  readonly document: TestRequestDocument;
}

/** What after_response did. */
export interface ResponseOutcome {
  readonly changed: boolean;
  /** The response as the client, or the next plugin, gets it. */
  readonly document: TestResponseDocument;
}

/** The key-value space of a plugin, for a test that prepares it or looks into it. */
export interface TestKeyValues {
  /** Null when there is no value. */
  get(key: string): string | null;
  /**
   * @param value null removes the key
   * @throws BackworksError BW_USAGE when the key, the value or the space would be too large
   */
  set(key: string, value: string | null): void;
}

/**
 * A running plugin. Every call goes through the code of the server: it has a deadline, its answer is checked, and a
 * failure rejects with a `PluginFailure` that names the function and the line of a crash.
 */
export interface TestPlugin extends AsyncDisposable {
  /** What the library says about itself: name, version, hooks, capabilities. */
  readonly metadata: PluginMetadata;

  /** @throws PluginFailure (as a rejection), like every call */
  beforeRequest(document: TestRequestDocument): Promise<RequestOutcome>;

  /** @returns null when the plugin does not answer this request */
  processEndpoint(document: TestRequestDocument): Promise<TestResponse | null>;

  afterResponse(document: TestResponseDocument): Promise<ResponseOutcome>;

  /** Calls an operation that the plugin provides to other plugins. */
  call(operation: string, payload?: JsonValue): Promise<JsonValue>;

  health(): Promise<PluginHealth>;

  /** Lines of the plugin and about it, oldest first. A line on a stream may come after the answer of its call. */
  readonly log: readonly RecordedLine[];

  /**
   * Waits for a line.
   * @param timeoutMs default: 30 s
   * @throws Error (as a rejection) when it does not come in time
   */
  logged(text: string | RegExp, timeoutMs?: number): Promise<RecordedLine>;

  /** Sums of the counters that the plugin raised, by name. */
  metrics(): Promise<Record<string, number>>;

  /** Calls of the plugin to operations of other plugins, oldest first. */
  readonly operations: readonly TestOperation[];

  /** HTTP requests of the plugin that reached an answer of `responses`, or had none, oldest first. Refused ones are not here. */
  readonly fetches: readonly TestFetch[];

  /** The key-value space of the plugin. */
  readonly kv: TestKeyValues;

  /** Operations that the sandbox refused. */
  readonly refusals: readonly Refusal[];

  /** Failures of processes, oldest first. */
  readonly failures: readonly PluginFailure[];

  /** The processes that run the plugin; none in-process. */
  readonly processes: readonly NativeProcess[];

  /**
   * Sends a signal to the process that serves; a spare one takes over. Waits until the failure is known.
   * @param signal default: SIGKILL
   * @throws BackworksError (as a rejection) BW_USAGE in-process
   */
  kill(signal?: NodeJS.Signals): Promise<PluginFailure>;

  /**
   * Stops the process that serves with SIGSTOP, so that the next call misses its deadline.
   * @throws BackworksError BW_USAGE in-process
   */
  freeze(): void;

  /** Calls shutdown() and ends every process. Never rejects. */
  close(): Promise<void>;
}
