import { BackworksError } from '../errors.js';
import { Deferred } from '../deferred.js';
import type { Text } from '../long-text.js';
import type { BodyUse } from './body-use.js';
import type { LoadedPlugin } from './loaded-plugin.js';
import type { PluginMetadata, PipelineHook } from './metadata.js';
import type {
  Awaitable,
  BackworksPlugin,
  Caller,
  JsonMembers,
  Patched,
  PluginResponse,
  RequestDecision,
} from './plugin.js';
import type { ResolvedPolicy } from './plugin-entry.js';

export interface LazyPluginOptions {
  readonly name: string;
  /** As the library was described, without starting it. */
  readonly metadata: PluginMetadata;
  readonly policy: ResolvedPolicy;
  /** Starts the plugin, or says why it does not. */
  readonly start: () => Promise<LoadedPlugin>;
}

/**
 * Stands in for a plugin that starts with its first use. Every call waits for the one start; a request that
 * has this stand-in keeps the plugin it started.
 */
export class LazyPlugin implements BackworksPlugin {
  readonly name: string;
  readonly metadata: PluginMetadata;
  readonly priority: number;
  readonly critical: boolean;
  readonly body: BodyUse;
  readonly batchesHooks = false;
  private plugin: LoadedPlugin | null = null;
  private starting: Promise<LoadedPlugin> | null = null;

  constructor(private readonly options: LazyPluginOptions) {
    const { name, metadata, policy } = options;
    this.name = name;
    this.metadata = metadata;
    this.priority = policy.priority;
    this.critical = policy.critical;
    this.body = policy.body;
  }

  has(hook: PipelineHook): boolean {
    return this.metadata.hooks.has(hook);
  }

  beforeRequest(requestJson: Text, caller?: Caller, document?: Patched): Awaitable<RequestDecision | null> {
    return this.use((plugin) => plugin.beforeRequest(requestJson, caller, document), caller);
  }

  processEndpoint(
    endpoint: string,
    method: string,
    requestJson: Text,
    caller?: Caller,
  ): Awaitable<PluginResponse | null> {
    return this.use((plugin) => plugin.processEndpoint(endpoint, method, requestJson, caller), caller);
  }

  afterResponse(responseJson: Text, caller?: Caller, document?: Patched): Awaitable<JsonMembers | null> {
    return this.use((plugin) => plugin.afterResponse(responseJson, caller, document), caller);
  }

  /** See LoadedPlugin. */
  perform(operation: string, payload: string, caller: Caller): ReturnType<LoadedPlugin['perform']> {
    return this.use((plugin) => plugin.perform(operation, payload, caller), caller);
  }

  private use<T>(call: (plugin: LoadedPlugin) => Awaitable<T>, caller?: Caller): Awaitable<T> {
    return this.plugin === null ? this.begin(call, caller) : call(this.plugin);
  }

  private async begin<T>(call: (plugin: LoadedPlugin) => Awaitable<T>, caller?: Caller): Promise<T> {
    this.starting ??= this.options.start().finally(() => (this.starting = null));
    this.plugin = await this.starting;
    if (caller?.cancelled === true)
      throw new BackworksError('BW_REQUEST_CANCELLED', `the client of request ${caller.id} has gone`);
    const answer = call(this.plugin);
    return answer instanceof Deferred ? answer.toPromise() : answer;
  }
}
