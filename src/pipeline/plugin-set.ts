import type { ResponseBodyUse } from '../config/types.js';
import { strongest } from '../plugins/body-use.js';
import type { BackworksPlugin } from '../plugins/plugin.js';
import { hookOrder } from '../plugins/hook-order.js';

const strongestUse = (use: ResponseBodyUse, { plugin }: OrderedPlugin): ResponseBodyUse =>
  strongest(use, plugin.body.response);

/** A plugin and its position in the order of before_request hooks. */
export interface OrderedPlugin {
  readonly plugin: BackworksPlugin;
  readonly position: number;
}

/** Settings that a request keeps from beginning to end, like its plugins. */
export interface RequestSettings {
  /**
   * Longest request body of endpoints without a limit of their own, and longest response body that is held for
   * after_response hooks.
   */
  readonly bodyLimitBytes: number;
  /** Longest time between two reads of a request body. */
  readonly bodyTimeoutMs: number;
  /** Whether a plugin is offered requests that no endpoint matches; see `offersUnmatched()`. */
  readonly offersUnmatched: (plugin: string) => boolean;
}

/**
 * The plugins at one moment, sorted by the hooks they have, so that a request looks only at plugins it calls.
 * A request keeps the set it began with, and the set counts its requests: a replaced plugin may end when no
 * request can still call it.
 */
export class PluginSet {
  readonly beforeRequest: readonly OrderedPlugin[];
  /** Plugins with process_endpoint, for endpoints that name no plugin. */
  readonly endpoints: readonly BackworksPlugin[];
  /** The plugins that are offered a request that no endpoint matches. */
  readonly unmatched: readonly BackworksPlugin[];
  /** Last plugin first. */
  readonly afterResponse: readonly OrderedPlugin[];
  /** Whether a before_request hook waits for the body of a request. */
  readonly readsRequests: boolean;
  /** What the plugin at an index of afterResponse, and all behind it, need of the body of a response. */
  readonly responseBodies: readonly ResponseBodyUse[];
  private readonly byName: ReadonlyMap<string, BackworksPlugin>;

  private requests = 0;
  private onIdle: (() => void) | null = null;

  readonly bodyLimitBytes: number;
  readonly bodyTimeoutMs: number;

  constructor(
    plugins: readonly BackworksPlugin[],
    { bodyLimitBytes, bodyTimeoutMs, offersUnmatched }: RequestSettings,
  ) {
    this.bodyLimitBytes = bodyLimitBytes;
    this.bodyTimeoutMs = bodyTimeoutMs;
    const ordered = hookOrder(plugins).map((plugin, position) => ({ plugin, position }));
    this.beforeRequest = ordered.filter(({ plugin }) => plugin.has('before_request'));
    this.endpoints = ordered.map(({ plugin }) => plugin).filter((plugin) => plugin.has('process_endpoint'));
    this.unmatched = this.endpoints.filter(({ name }) => offersUnmatched(name));
    this.afterResponse = ordered.filter(({ plugin }) => plugin.has('after_response')).reverse();
    this.readsRequests = this.beforeRequest.some(({ plugin }) => plugin.body.request === 'buffer');
    this.responseBodies = this.afterResponse.map((_, first) =>
      this.afterResponse.slice(first).reduce<ResponseBodyUse>(strongestUse, 'none'),
    );
    this.byName = new Map(plugins.map((plugin) => [plugin.name, plugin]));
  }

  find(name: string): BackworksPlugin | undefined {
    return this.byName.get(name);
  }

  /** Counts a request that begins with these plugins. end() must follow exactly once. */
  begin(): this {
    this.requests += 1;
    return this;
  }

  end(): void {
    this.requests -= 1;
    if (this.requests === 0) this.onIdle?.();
  }

  /** Resolves when no request has these plugins. Call it when no further request will begin with them. */
  idle(): Promise<void> {
    return this.requests === 0 ? Promise.resolve() : new Promise((resolve) => (this.onIdle = resolve));
  }
}
