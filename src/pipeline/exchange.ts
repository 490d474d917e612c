import { Deferred, type Listener } from '../deferred.js';
import type { Awaitable, BackworksPlugin, PluginResponse, HookBatch } from '../plugins/plugin.js';
import type { IncomingRequest } from './documents/incoming-request.js';
import type { PluginSet } from './plugin-set.js';
import type { RequestDocument } from './documents/request-document.js';
import type { ResponseDocument } from './documents/response-document.js';

/** What is done with the outcome of something a request waited for. What a stage throws fails the request. */
export interface Stage<T> {
  take(exchange: Exchange, value: T): void;
  fail(exchange: Exchange, error: unknown): void;
}

/**
 * A request on its way, with the plugins it began with; in the end its answer. It is itself what listens at
 * each stage: a request costs one object and not some for every hook.
 */
export class Exchange extends Deferred<PluginResponse> implements Listener<unknown> {
  /** Null when nobody looks at the request. */
  document: RequestDocument | null = null;
  /** Null until somebody is to look at the response. */
  response: ResponseDocument | null = null;
  /** Index of the plugin whose hook is running, in the list for this stage. */
  index = 0;
  /** The one plugin that an endpoint names. */
  asked: BackworksPlugin | null = null;
  /** What was asked of a plugin ahead of its turn, or may be. */
  batch: HookBatch | undefined;
  private stage: Stage<unknown> | null = null;

  constructor(
    readonly request: IncomingRequest,
    readonly plugins: PluginSet,
  ) {
    super();
  }

  /** Goes on with a value: at once when it is at hand, else when it arrives. */
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
