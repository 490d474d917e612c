import type { BackworksPlugin } from '../plugins/plugin.js';
import { hookOrder } from '../plugins/hook-order.js';

/** A plugin and its place on a request's way in. */
export interface Station {
  readonly plugin: BackworksPlugin;
  readonly position: number;
}

/** Settings that a request keeps from its beginning to its end, as it keeps its plugins. */
export interface RequestSettings {
  /** Longest request body, and longest streamed response body that after_response hooks may see. */
  readonly bodyLimitBytes: number;
  /** Whether a plugin is offered requests that no endpoint matches; see `offersUnmatched()`. */
  readonly offersUnmatched: (plugin: string) => boolean;
}

/**
 * The plugins of one moment, sorted into the hooks they have, so that a request looks at nothing it does
 * not call. A request keeps the set it began with, and is counted: a plugin that is replaced may end
 * when nobody can call it any more.
 */
export class PluginSet {
  readonly beforeRequest: readonly Station[];
  /** Plugins with process_endpoint, for an endpoint that names no plugin. */
  readonly endpoints: readonly BackworksPlugin[];
  /** Those of them that are offered a request that no endpoint matches. */
  readonly unmatched: readonly BackworksPlugin[];
  /** Last plugin first. */
  readonly afterResponse: readonly Station[];
  private readonly byName: ReadonlyMap<string, BackworksPlugin>;

  private requests = 0;
  private onIdle: (() => void) | null = null;

  readonly bodyLimitBytes: number;

  constructor(plugins: readonly BackworksPlugin[], { bodyLimitBytes, offersUnmatched }: RequestSettings) {
    this.bodyLimitBytes = bodyLimitBytes;
    const stations = hookOrder(plugins).map((plugin, position) => ({ plugin, position }));
    this.beforeRequest = stations.filter(({ plugin }) => plugin.has('before_request'));
    this.endpoints = stations.map(({ plugin }) => plugin).filter((plugin) => plugin.has('process_endpoint'));
    this.unmatched = this.endpoints.filter(({ name }) => offersUnmatched(name));
    this.afterResponse = stations.filter(({ plugin }) => plugin.has('after_response')).reverse();
    this.byName = new Map(plugins.map((plugin) => [plugin.name, plugin]));
  }

  find(name: string): BackworksPlugin | undefined {
    return this.byName.get(name);
  }

  /** A request begins with these plugins; end() must follow, once. */
  begin(): this {
    this.requests += 1;
    return this;
  }

  end(): void {
    this.requests -= 1;
    if (this.requests === 0) this.onIdle?.();
  }

  /** Resolves when no request has these plugins; to be asked when no other will begin with them. */
  idle(): Promise<void> {
    return this.requests === 0 ? Promise.resolve() : new Promise((resolve) => (this.onIdle = resolve));
  }
}
