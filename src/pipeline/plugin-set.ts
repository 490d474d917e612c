import type { EndpointConfig } from '../config/types.js';
import { hookOrder } from '../plugins/hook-order.js';
import type { BackworksPlugin } from '../plugins/plugin.js';
import { HookList } from './hook-list.js';

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
  /** Plugins with process_endpoint, for endpoints that name no plugin. */
  readonly endpoints: readonly BackworksPlugin[];
  /** The plugins that are offered a request that no endpoint matches. */
  readonly unmatched: readonly BackworksPlugin[];
  /** The hooks of requests whose endpoint lists none. */
  private readonly usual: HookList;
  /** The hooks of endpoints that list some, made at the first request. */
  private readonly listed = new WeakMap<EndpointConfig, HookList>();
  private readonly ordered: readonly BackworksPlugin[];
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
    this.ordered = hookOrder(plugins);
    this.endpoints = this.ordered.filter((plugin) => plugin.has('process_endpoint'));
    this.unmatched = this.endpoints.filter(({ name }) => offersUnmatched(name));
    this.usual = new HookList(this.ordered);
    this.byName = new Map(plugins.map((plugin) => [plugin.name, plugin]));
  }

  /** @param endpoint null for requests that no endpoint matches */
  hooksFor(endpoint: EndpointConfig | null): HookList {
    if (endpoint === null || endpoint.hooks.length === 0) return this.usual;
    let hooks = this.listed.get(endpoint);
    if (hooks === undefined) {
      hooks = new HookList(this.ordered, endpoint);
      this.listed.set(endpoint, hooks);
    }
    return hooks;
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
