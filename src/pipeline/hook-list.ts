import { AS_IT_IS, exactJson } from '../config/source/written.js';
import type { EndpointConfig, ResponseBodyUse } from '../config/types.js';
import { LongText, type Text } from '../long-text.js';
import { strongest } from '../plugins/body-use.js';
import type { BackworksPlugin } from '../plugins/plugin.js';

/** A plugin and its position in the order of before_request hooks. */
export interface OrderedPlugin {
  readonly plugin: BackworksPlugin;
  readonly position: number;
  /** See configMember(). Null when the endpoint has no configuration for the plugin. */
  readonly config: string | null;
}

const strongestUse = (use: ResponseBodyUse, { plugin }: OrderedPlugin): ResponseBodyUse =>
  strongest(use, plugin.body.response);

/** The hooks that requests of one endpoint pass. */
export class HookList {
  readonly beforeRequest: readonly OrderedPlugin[];
  /** Last plugin first. */
  readonly afterResponse: readonly OrderedPlugin[];
  /** Whether a before_request hook waits for the body of a request. */
  readonly readsRequests: boolean;
  /** What the plugin at an index of afterResponse, and all behind it, need of the body of a response. */
  readonly responseBodies: readonly ResponseBodyUse[];
  private readonly configs: ReadonlyMap<string, string>;

  /**
   * @param plugins in the order in which requests pass them
   * @param endpoint null for requests that no endpoint matches
   */
  constructor(plugins: readonly BackworksPlugin[], endpoint: EndpointConfig | null = null) {
    const listed = endpoint?.hooks ?? [];
    const names = new Set(listed.map(({ plugin }) => plugin));
    this.configs = new Map(
      listed.flatMap(({ plugin, config, written = AS_IT_IS }) =>
        config === null ? [] : [[plugin, configMember(exactJson(config, written))]],
      ),
    );
    const passed = plugins
      .filter(({ name, hookScope }) => hookScope === 'all' || names.has(name))
      .map((plugin, position) => ({ plugin, position, config: this.configOf(plugin) }));
    this.beforeRequest = passed.filter(({ plugin }) => plugin.has('before_request'));
    this.afterResponse = passed.filter(({ plugin }) => plugin.has('after_response')).reverse();
    this.readsRequests = this.beforeRequest.some(({ plugin }) => plugin.body.request === 'buffer');
    this.responseBodies = this.afterResponse.map((_, first) =>
      this.afterResponse.slice(first).reduce<ResponseBodyUse>(strongestUse, 'none'),
    );
  }

  /** See configMember(). Null when the endpoint has no configuration for the plugin. */
  configOf({ name }: BackworksPlugin): string | null {
    return this.configs.get(name) ?? null;
  }
}

/** The first member of a document that contains a configuration, with the brace and the comma around it. */
function configMember(json: string): string {
  return `{"config":${json},`;
}

/** A document with the endpoint's configuration for the plugin that receives it. Other plugins do not see it. */
export function withConfig(document: Text, config: string | null): Text {
  if (config === null) return document;
  if (typeof document === 'string') return config + document.slice(1);
  return new LongText(config + document.head.slice(1), document.bytes, document.tail);
}
