import { PluginFailure } from '../../dist/errors.js';
import type { Awaitable, BackworksPlugin, Patched } from '../../dist/plugins/plugin.js';
import type { PipelineHook } from '../../dist/plugins/metadata.js';
import type { JsonObject } from '../../dist/config/types.js';
import type { Text } from '../../dist/long-text.js';

export type Hooks = Partial<Pick<BackworksPlugin, 'beforeRequest' | 'processEndpoint' | 'afterResponse'>>;

const METHODS = {
  before_request: 'beforeRequest',
  process_endpoint: 'processEndpoint',
  after_response: 'afterResponse',
} as const satisfies Record<PipelineHook, keyof Hooks>;

export interface PluginTraits {
  priority?: number;
  critical?: boolean;
  dependsOn?: string[];
}

/** Goes on with a hook's answer when it is there. */
function then<T>(answer: Awaitable<T>, next: (value: T) => T): Awaitable<T> {
  return answer instanceof Promise ? answer.then(next) : next(answer as T);
}

/** A plugin written in TypeScript; hooks that are not given are absent, and calling one is an error. */
export function scriptPlugin(name: string, hooks: Hooks, traits: PluginTraits = {}): BackworksPlugin {
  const absent = (): never => {
    throw new Error(`an absent hook of ${name} was called`);
  };
  const { beforeRequest = absent, processEndpoint = absent, afterResponse = absent } = hooks;
  const apply = (phase: PipelineHook, patch: JsonObject, document: Patched | undefined): void => {
    try {
      document?.merge(patch);
    } catch (cause) {
      throw new PluginFailure('BW_PLUGIN_BAD_RESPONSE', String(cause), { plugin: name, phase, cause });
    }
  };
  return {
    name,
    priority: traits.priority ?? 100,
    critical: traits.critical ?? false,
    batchesHooks: false,
    metadata: {
      name,
      version: '1.0.0',
      description: '',
      author: null,
      license: null,
      hooks: new Set(),
      capabilities: [],
      dependencies: (traits.dependsOn ?? []).map((other) => ({
        kind: 'plugin' as const,
        name: other,
        version: '*',
        optional: false,
      })),
      configSchema: null,
      permissions: null,
      priority: null,
      critical: null,
      maxExecutionTimeMs: null,
      threadSafe: false,
    },
    has: (hook) => METHODS[hook] in hooks,
    beforeRequest: (json, caller, document) =>
      then(beforeRequest(json, caller), (decision) => {
        if (decision?.kind === 'patch') apply('before_request', decision.patch, document);
        return decision;
      }),
    processEndpoint,
    afterResponse: (json, caller, document) =>
      then(afterResponse(json, caller), (patch) => {
        if (patch !== null) apply('after_response', patch, document);
        return patch;
      }),
  };
}

/** Leaves `name` in context.trail on the way in and in the header x-trail on the way out. */
export function tracer(name: string, traits: PluginTraits = {}): BackworksPlugin {
  const trail = (json: Text, read: (document: JsonObject) => unknown): string => {
    const earlier = read(JSON.parse(json.toString()) as JsonObject);
    return typeof earlier === 'string' ? `${earlier} ${name}` : name;
  };
  return scriptPlugin(
    name,
    {
      beforeRequest: async (json) => ({
        kind: 'patch',
        patch: { context: { trail: trail(json, ({ context }) => (context as JsonObject).trail) } },
      }),
      afterResponse: async (json) => ({
        headers: { 'x-trail': trail(json, ({ headers }) => (headers as JsonObject)['x-trail']) },
      }),
    },
    traits,
  );
}
