import { PluginFailure } from '../../dist/errors.js';
import type {
  Awaitable,
  BackworksPlugin,
  Caller,
  Patched,
  PluginResponse,
} from '../../dist/plugins/plugin.js';
import type { PipelineHook } from '../../dist/plugins/metadata.js';
import type { FailurePolicy, JsonObject } from '../../dist/config/types.js';
import type { Text } from '../../dist/long-text.js';
import type { JsonMembers } from '../../dist/plugins/json-outline.js';
import { patchOf } from './patch-of.js';

/** The decision of before_request, with its patch as a value. */
export type ScriptDecision =
  | { readonly kind: 'respond'; readonly response: PluginResponse }
  | { readonly kind: 'patch'; readonly patch: JsonObject };

export interface Hooks {
  beforeRequest?: (json: Text, caller?: Caller) => Awaitable<ScriptDecision | null>;
  processEndpoint?: BackworksPlugin['processEndpoint'];
  afterResponse?: (json: Text, caller?: Caller) => Awaitable<JsonObject | null>;
}

const METHODS = {
  before_request: 'beforeRequest',
  process_endpoint: 'processEndpoint',
  after_response: 'afterResponse',
} as const satisfies Record<PipelineHook, keyof Hooks>;

export interface PluginTraits {
  priority?: number;
  onFailure?: FailurePolicy;
  dependsOn?: string[];
  body?: Partial<BackworksPlugin['body']>;
}

/** Continues with a hook's answer when it arrives. */
function then<T, R>(answer: Awaitable<T>, next: (value: T) => R): Awaitable<R> {
  return answer instanceof Promise ? answer.then(next) : next(answer as T);
}

/** A plugin written in TypeScript. Hooks that are not given are absent; calling one is an error. */
export function scriptPlugin(name: string, hooks: Hooks, traits: PluginTraits = {}): BackworksPlugin {
  const absent = (): never => {
    throw new Error(`an absent hook of ${name} was called`);
  };
  const { beforeRequest = absent, processEndpoint = absent, afterResponse = absent } = hooks;
  const apply = (phase: PipelineHook, patch: JsonObject, document: Patched | undefined): JsonMembers => {
    const members = patchOf(patch);
    try {
      document?.merge(members);
    } catch (cause) {
      throw new PluginFailure('BW_PLUGIN_BAD_RESPONSE', String(cause), { plugin: name, phase, cause });
    }
    return members;
  };
  return {
    name,
    priority: traits.priority ?? 100,
    onFailure: traits.onFailure ?? 'skip',
    hookScope: 'all',
    body: { request: 'buffer', response: 'auto', ...traits.body },
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
      body: { request: null, response: null },
      maxExecutionTimeMs: null,
      threadSafe: false,
    },
    has: (hook) => METHODS[hook] in hooks,
    beforeRequest: (json, caller, document) =>
      then(beforeRequest(json, caller), (decision) => {
        if (decision?.kind !== 'patch') return decision;
        return { kind: 'patch', patch: apply('before_request', decision.patch, document) };
      }),
    processEndpoint,
    afterResponse: (json, caller, document) =>
      then(afterResponse(json, caller), (patch) => {
        return patch === null ? null : apply('after_response', patch, document);
      }),
  };
}

/** Adds `name` to context.trail in before_request, and to the header x-trail in after_response. */
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
