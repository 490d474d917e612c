import type { FailurePolicy, HookScope } from '../config/types.js';
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
  /** Metadata that was read without starting the plugin. */
  readonly metadata: PluginMetadata;
  readonly policy: ResolvedPolicy;
  /** Starts the plugin. Rejects with the reason if the plugin does not start. */
  readonly start: () => Promise<LoadedPlugin>;
}

/**
 * Stand-in for a plugin that starts on first use. All calls wait for the same start. After the start, this
 * stand-in forwards the calls of requests that still use it.
 */
export class LazyPlugin implements BackworksPlugin {
  readonly name: string;
  readonly metadata: PluginMetadata;
  readonly priority: number;
  readonly onFailure: FailurePolicy;
  readonly hookScope: HookScope;
  readonly body: BodyUse;
  readonly batchesHooks = false;
  private plugin: LoadedPlugin | null = null;
  private starting: Promise<LoadedPlugin> | null = null;

  constructor(private readonly options: LazyPluginOptions) {
    const { name, metadata, policy } = options;
    this.name = name;
    this.metadata = metadata;
    this.priority = policy.priority;
    this.onFailure = policy.onFailure;
    this.hookScope = policy.hookScope;
    this.body = policy.body;
  }

  has(hook: PipelineHook): boolean {
    return this.metadata.hooks.has(hook);
  }

  beforeRequest(requestJson: Text, caller?: Caller, document?: Patched): Awaitable<RequestDecision | null> {
    return this.forward((plugin) => plugin.beforeRequest(requestJson, caller, document), caller);
  }

  processEndpoint(
    endpoint: string,
    method: string,
    requestJson: Text,
    caller?: Caller,
  ): Awaitable<PluginResponse | null> {
    return this.forward((plugin) => plugin.processEndpoint(endpoint, method, requestJson, caller), caller);
  }

  afterResponse(responseJson: Text, caller?: Caller, document?: Patched): Awaitable<JsonMembers | null> {
    return this.forward((plugin) => plugin.afterResponse(responseJson, caller, document), caller);
  }

  /** See LoadedPlugin. */
  perform(operation: string, payload: string, caller: Caller): ReturnType<LoadedPlugin['perform']> {
    return this.forward((plugin) => plugin.perform(operation, payload, caller), caller);
  }

  private forward<T>(call: (plugin: LoadedPlugin) => Awaitable<T>, caller?: Caller): Awaitable<T> {
    return this.plugin === null ? this.begin(call, caller) : call(this.plugin);
  }

  private async begin<T>(call: (plugin: LoadedPlugin) => Awaitable<T>, caller?: Caller): Promise<T> {
    this.starting ??= this.options.start().finally(() => (this.starting = null));
    this.plugin = await this.starting;
    if (caller?.cancelled === true)
      throw new BackworksError('BW_REQUEST_CANCELLED', `the client of request ${caller.id} has disconnected`);
    const answer = call(this.plugin);
    return answer instanceof Deferred ? answer.toPromise() : answer;
  }
}
