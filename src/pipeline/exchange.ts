import { Deferred, type Listener } from '../deferred.js';
import type { Awaitable, BackworksPlugin, PluginResponse, HookBatch } from '../plugins/plugin.js';
import type { IncomingRequest } from './documents/incoming-request.js';
import type { HookList } from './hook-list.js';
import type { PluginSet } from './plugin-set.js';
import type { RequestDocument } from './documents/request-document.js';
import type { ResponseDocument } from './documents/response-document.js';

/** Takes the outcome of something a request waited for. An error that a stage throws fails the request. */
export interface Stage<T> {
  take(exchange: Exchange, value: T): void;
  fail(exchange: Exchange, error: unknown): void;
}

/**
 * A request in progress, with the plugins it began with, and in the end its answer. It is itself the listener
 * at each stage, so that a request costs one object instead of several for every hook.
 */
export class Exchange extends Deferred<PluginResponse> implements Listener<unknown> {
  /** Null when no hook or endpoint needs the request's document. */
  document: RequestDocument | null = null;
  /** Null until an after_response hook needs the response's document. */
  response: ResponseDocument | null = null;
  /** Index of the plugin whose hook is running, in the list for this stage. */
  index = 0;
  /** The plugin that the endpoint names. */
  asked: BackworksPlugin | null = null;
  /** The hook batch that the next hooks belong to, if a plugin runs several hooks in one frame. */
  batch: HookBatch | undefined;
  /** The hooks that the request passes. */
  readonly hooks: HookList;
  private stage: Stage<unknown> | null = null;

  constructor(
    readonly request: IncomingRequest,
    readonly plugins: PluginSet,
  ) {
    super();
    this.hooks = plugins.hooksFor(request.endpoint);
  }

  /** Continues with a value: at once when it is available, otherwise when it arrives. */
  expect<T>(value: Awaitable<T>, stage: Stage<T>): void {
    if (value instanceof Deferred) {
      this.stage = stage;
      value.listen(this);
    } else if (value instanceof Promise) {
      this.stage = stage;
      value.then(
        (later) => this.answered(later),
        (error: unknown) => this.failed(error),
      );
    } else stage.take(this, value);
  }

  answered(value: unknown): void {
    try {
      this.stage!.take(this, value);
    } catch (error) {
      this.reject(error);
    }
  }

  failed(error: unknown): void {
    try {
      this.stage!.fail(this, error);
    } catch (thrown) {
      this.reject(thrown);
    }
  }
}
