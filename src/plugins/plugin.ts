import type { CallTrace } from '../call-ticket.js';
import type { Readable } from 'node:stream';
import type { FailurePolicy, HookScope } from '../config/types.js';
import type { BodyUse } from './body-use.js';
import type { PipelineHook, PluginMetadata } from './metadata.js';
import { Deferred } from '../deferred.js';
import type { Text } from '../long-text.js';
import type { JsonMembers } from './json-outline.js';

/** Header names in lower case; repeated headers joined by ", ", set-cookie kept as a list. */
export type HeaderMap = Record<string, string | string[]>;

/** How a document contains `body`: as JSON, as a string, or as base64 of the bytes. */
export type BodyEncoding = 'json' | 'text' | 'base64';

/** The response of a plugin or an endpoint, with the body in the form in which it is sent. */
export interface PluginResponse {
  status: number;
  headers: HeaderMap;
  body: Buffer | string | Readable | null;
  /** The same body, if it is checked JSON within the nesting limit and the headers say that it is JSON. */
  json?: string | Buffer;
}

/** The decision of before_request. */
export type RequestDecision =
  | { readonly kind: 'respond'; readonly response: PluginResponse }
  | { readonly kind: 'patch'; readonly patch: JsonMembers };

const DENIALS: readonly number[] = [401, 403];

/** Whether before_request denied a request. A plugin that denies requests guards everything after it. */
export function isDenial(
  decision: RequestDecision | null,
): decision is Extract<RequestDecision, { kind: 'respond' }> {
  return decision?.kind === 'respond' && DENIALS.includes(decision.response.status);
}

/** A result that may be available at once, without waiting for a promise. */
export type Awaitable<T> = T | Promise<T> | Deferred<T>;

/** The request that a hook is called for. */
export interface Caller {
  readonly id: string;
  /** Plugins whose calls led to this call; absent for a call made directly for the request. */
  readonly callers?: readonly string[];
  /** Where the calls of the request are recorded; null when it is not traced. */
  readonly trace: CallTrace | null;
  /** True when nobody waits for the answer; no further hook is called. */
  readonly cancelled: boolean;
  /**
   * The running or last call. `cancel()` cancels it. `ownNs` is the time in the plugin's function, in nanoseconds,
   * as reported by the plugin's process. The code that makes a call sets this member.
   */
  call: { cancel(): void; readonly ownNs: number } | null;
}

/** The document that a hook received. The hook's patch is applied to it. */
export interface Patched {
  /**
   * Applies a merge patch completely, or not at all.
   * @throws InvalidAnswer when the patch cannot be applied
   */
  merge(patch: JsonMembers): void;
  /** The document with the patches so far, as the next hook receives it. */
  toJson(): Text;
}

/**
 * A plugin as the pipeline sees it. Every method goes through the PluginExecutor (breaker, bulkhead, deadline,
 * metrics). An answer that is available at once is returned without a promise. A method rejects with a
 * PluginFailure when the plugin gives no usable answer, and with BW_REQUEST_CANCELLED when the request was
 * cancelled before the plugin was called.
 */
export interface BackworksPlugin {
  readonly name: string;
  /** Null for the stand-in of a plugin that could not be described. */
  readonly metadata: PluginMetadata | null;
  readonly priority: number;
  readonly onFailure: FailurePolicy;
  readonly hookScope: HookScope;
  readonly body: BodyUse;
  /** Whether calling several hooks at once saves time. Otherwise no batch is planned. */
  readonly batchesHooks: boolean;
  /** Whether the plugin has a hook. Missing hooks cost nothing. */
  has(hook: PipelineHook): boolean;
  /**
   * Null means "unchanged".
   * @param document the patch is applied to it before the method returns; a patch that cannot be applied is a
   *   failure of the plugin
   * @param batch the hooks that follow directly and may be called at the same time
   */
  beforeRequest(
    requestJson: Text,
    caller?: Caller,
    document?: Patched,
    batch?: HookBatch,
  ): Awaitable<RequestDecision | null>;
  /**
   * Null means that the plugin does not answer this request.
   * @param batch see beforeRequest()
   */
  processEndpoint(
    endpoint: string,
    method: string,
    requestJson: Text,
    caller?: Caller,
    batch?: HookBatch,
  ): Awaitable<PluginResponse | null>;
  /**
   * The RFC 7396 merge patch for the response document; null means "unchanged".
   * @param document see beforeRequest()
   */
  afterResponse(responseJson: Text, caller?: Caller, document?: Patched): Awaitable<JsonMembers | null>;
}

/** A canary version of a plugin. */
export interface CanaryPlugin {
  /** Replaces the plugin of the same name. */
  readonly plugin: BackworksPlugin;
  /** Percentage of new requests that get the canary. */
  readonly percent: number;
}

/** The result of health_check(). */
export interface PluginHealth {
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  readonly text: string;
}

export type { JsonMembers };

/**
 * Consecutive hooks of one plugin in the pipeline of a request. They are sent to an isolated plugin in one frame,
 * and the plugin answers one after the other. The batch continues while before_request changes at most headers and
 * context, and the endpoint answers with plain JSON. Hooks that the batch did not reach are called separately.
 */
export class HookBatch {
  /** The answer of the endpoint; set when the endpoint was called. */
  endpointAnswer: Awaitable<PluginResponse | null> | undefined;
  /** The answer of after_response; set when after_response was called. */
  patch: Awaitable<JsonMembers | null> | undefined;
  /** The document to which the patch is applied. It is set before the patch arrives. */
  response: Patched | null = null;
  private state: 'planned' | 'under way' | 'ended' = 'planned';
  private onEnd: Deferred<void> | null = null;

  /**
   * @param endpoint the argument of process_endpoint, like `method`
   * @param responseHead the document of a plain answer up to its body; null if this plugin's after_response is not
   *   the next hook
   */
  constructor(
    readonly plugin: BackworksPlugin,
    readonly endpoint: string,
    readonly method: string,
    readonly responseHead: string | null,
  ) {}

  /** Starts the batch. @returns false if the batch was already started; a batch runs once */
  begin(): boolean {
    if (this.state !== 'planned') return false;
    this.state = 'under way';
    return true;
  }

  /** Ends the batch. Hooks that were not called by now are called separately. */
  end(): void {
    if (this.state === 'ended') return;
    this.state = 'ended';
    this.onEnd?.resolve();
  }

  /** Ends the batch with an error. Hooks that were not called by now fail. */
  abandon(error: unknown): void {
    this.endpointAnswer ??= rejected(error);
    if (this.responseHead !== null) this.patch ??= rejected(error);
    this.end();
  }

  /** Resolves when it is known which hooks the batch called; undefined if that is known already. */
  get undecided(): Deferred<void> | undefined {
    return this.state === 'under way' ? (this.onEnd ??= new Deferred()) : undefined;
  }
}

function rejected(error: unknown): Deferred<never> {
  const answer = new Deferred<never>();
  answer.reject(error);
  return answer;
}
