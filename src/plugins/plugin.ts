import type { Readable } from 'node:stream';
import type { BodyUse } from './body-use.js';
import type { PipelineHook, PluginMetadata } from './metadata.js';
import { Deferred } from '../deferred.js';
import type { Text } from '../long-text.js';
import type { JsonMembers } from './json-outline.js';

/** Header names in lower case; repeated headers joined by ", ", set-cookie kept as a list. */
export type HeaderMap = Record<string, string | string[]>;

/** How `body` is written in a document: as JSON, as a string, or as base64 of the bytes. */
export type BodyEncoding = 'json' | 'text' | 'base64';

/** The response a plugin or an endpoint gives, with its body as it will go over the wire. */
export interface PluginResponse {
  status: number;
  headers: HeaderMap;
  body: Buffer | string | Readable | null;
  /** The same body, where it is known to be JSON (not too deep) and the headers say so. */
  json?: string | Buffer;
}

/** What before_request decided. */
export type RequestDecision =
  | { readonly kind: 'respond'; readonly response: PluginResponse }
  | { readonly kind: 'patch'; readonly patch: JsonMembers };

/** A result that may be at hand: then nothing waits for it. */
export type Awaitable<T> = T | Promise<T> | Deferred<T>;

/** The request a hook is called for. */
export interface Caller {
  readonly id: string;
  /** Plugins whose calls led to it; none for a request's own. */
  readonly callers?: readonly string[];
  /** Nobody waits for the answer any more: no hook is called for it from now on. */
  readonly cancelled: boolean;
  /**
   * Set by whoever makes a call for it: how to take that back, and how many nanoseconds the plugin says it
   * took itself.
   */
  call: { cancel(): void; readonly ownNs: number } | null;
}

/** The document a hook was told, which takes its answer. */
export interface Patched {
  /**
   * Applies a merge patch, wholly or not at all.
   * @throws InvalidAnswer when the patch cannot be applied.
   */
  merge(patch: JsonMembers): void;
}

/**
 * A plugin as the pipeline sees it. Every method goes through the PluginExecutor (breaker, bulkhead,
 * deadline, metrics), returns an answer that is at hand without a promise, and rejects with a
 * PluginFailure when the plugin does not give a usable answer, with BW_REQUEST_CANCELLED when it was not
 * asked because its caller had gone.
 */
export interface BackworksPlugin {
  readonly name: string;
  readonly metadata: PluginMetadata;
  readonly priority: number;
  /** A failure of a critical plugin ends the request; others are skipped. */
  readonly critical: boolean;
  readonly body: BodyUse;
  /** Whether asking it several hooks at once saves anything; where it does not, no batch is planned. */
  readonly batchesHooks: boolean;
  /** False for hooks that are absent: they cost nothing. */
  has(hook: PipelineHook): boolean;
  /**
   * Null for "unchanged".
   * @param document takes the patch before it is returned: one that cannot be applied is the plugin's failure
   * @param batch the hooks that follow directly, which may be asked at the same time
   */
  beforeRequest(
    requestJson: Text,
    caller?: Caller,
    document?: Patched,
    batch?: HookBatch,
  ): Awaitable<RequestDecision | null>;
  /**
   * Null for "not mine".
   * @param batch as with beforeRequest()
   */
  processEndpoint(
    endpoint: string,
    method: string,
    requestJson: Text,
    caller?: Caller,
    batch?: HookBatch,
  ): Awaitable<PluginResponse | null>;
  /**
   * The RFC 7396 merge patch for the response document, or null for "unchanged".
   * @param document as with beforeRequest()
   */
  afterResponse(responseJson: Text, caller?: Caller, document?: Patched): Awaitable<JsonMembers | null>;
}

/** A version of a plugin that is tried out. */
export interface CanaryPlugin {
  /** Takes the place of the plugin of its name. */
  readonly plugin: BackworksPlugin;
  /** Share of new requests that gets it. */
  readonly percent: number;
}

/** How a plugin is, in the words of health_check(). */
export interface PluginHealth {
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  readonly text: string;
}

export type { JsonMembers };

/** The response after_response is told of. */
export interface ToldResponse extends Patched {
  toJson(): Text;
}

/**
 * The hooks of one plugin that follow one another on a request's way. A plugin in a process of its own is
 * asked all of them at once, and answers one after the other as long as the request takes its usual way:
 * left unchanged before the endpoint, and answered with plain JSON there. What was not asked ahead is
 * asked when its turn comes.
 */
export class HookBatch {
  /** The answer of the endpoint, as soon as it was asked. */
  endpointAnswer: Awaitable<PluginResponse | null> | undefined;
  /** The answer of after_response, as soon as it was asked. */
  patch: Awaitable<JsonMembers | null> | undefined;
  /** Where the patch is applied; there before it comes. */
  response: ToldResponse | null = null;
  private state: 'planned' | 'under way' | 'ended' = 'planned';
  private onEnd: Deferred<void> | null = null;

  /**
   * @param endpoint as process_endpoint is told, like `method`
   * @param responseHead the document of a plain answer up to its body; null when after_response of
   *   another plugin is first, or there is none
   */
  constructor(
    readonly plugin: BackworksPlugin,
    readonly endpoint: string,
    readonly method: string,
    readonly responseHead: string | null,
  ) {}

  /** The plugin is being asked. False when it was before: a batch is made once. */
  begin(): boolean {
    if (this.state !== 'planned') return false;
    this.state = 'under way';
    return true;
  }

  /** What was not asked by now will not be. */
  end(): void {
    if (this.state === 'ended') return;
    this.state = 'ended';
    this.onEnd?.resolve();
  }

  /** What was not asked by now must not be asked by anyone: it fails. */
  abandon(error: unknown): void {
    this.endpointAnswer ??= rejected(error);
    if (this.responseHead !== null) this.patch ??= rejected(error);
    this.end();
  }

  /** Resolves when it is known what was asked; undefined when it is. */
  get undecided(): Deferred<void> | undefined {
    return this.state === 'under way' ? (this.onEnd ??= new Deferred()) : undefined;
  }
}

function rejected(error: unknown): Deferred<never> {
  const answer = new Deferred<never>();
  answer.reject(error);
  return answer;
}
