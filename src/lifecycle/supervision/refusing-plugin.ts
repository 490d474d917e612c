import type { HookScope } from '../../config/types.js';
import { PluginFailure, type PluginPhase } from '../../errors.js';
import type { PluginMetadata, PipelineHook } from '../../plugins/metadata.js';
import { resolvePolicy } from '../../plugins/plugin-entry.js';
import type { BackworksPlugin } from '../../plugins/plugin.js';
import type { RegistryEntry } from '../entry/registry-entry.js';

/**
 * Stand-in for a plugin that does not serve and whose failure must not be skipped. Requests that would pass the
 * plugin are refused at once, with the reason.
 */
export class RefusingPlugin implements BackworksPlugin {
  readonly name: string;
  readonly priority: number;
  readonly onFailure = 'refuse';
  readonly hookScope: HookScope;
  /** It refuses requests without reading bodies. */
  readonly body = { request: 'none', response: 'none' } as const;
  readonly batchesHooks = false;

  constructor(
    private readonly entry: RegistryEntry,
    /** Null if the library could not be described. */
    readonly metadata: PluginMetadata | null,
  ) {
    this.name = entry.plan.name;
    this.hookScope = entry.plan.config.hookScope;
    this.priority = resolvePolicy(entry.plan.config, metadata).priority;
  }

  has(hook: PipelineHook): boolean {
    // Nothing is known about a plugin without metadata, except that requests may not pass it by.
    return this.metadata === null ? hook === 'before_request' : this.metadata.hooks.has(hook);
  }

  beforeRequest(): never {
    throw this.refusal('before_request');
  }

  processEndpoint(): never {
    throw this.refusal('process_endpoint');
  }

  afterResponse(): never {
    throw this.refusal('after_response');
  }

  private refusal(phase: PluginPhase): PluginFailure {
    const { name, entry } = this;
    const { error } = entry;
    if (error instanceof PluginFailure && error.code === 'BW_PLUGIN_QUARANTINED') return error;
    const message = `plugin ${name} does not serve: ${error?.message ?? `it is ${entry.state}`}`;
    // Only a loading plugin gets Retry-After: a failed one is not restarted automatically.
    const retryAfterMs = entry.state === 'loading' ? 0 : undefined;
    return new PluginFailure('BW_PLUGIN_UNAVAILABLE', message, {
      plugin: name,
      phase,
      cause: error,
      retryAfterMs,
    });
  }
}

/** The stand-in that refuses requests for a plugin; null if requests continue without the plugin. */
export function refusingPlugin(entry: RegistryEntry): RefusingPlugin | null {
  const { onFailure, metadata, state, serving } = entry;
  // A plugin that an operator stopped needs no stand-in.
  const isMissed = state === 'failed' || state === 'loading';
  return onFailure === 'refuse' && isMissed && serving === null ? new RefusingPlugin(entry, metadata) : null;
}
