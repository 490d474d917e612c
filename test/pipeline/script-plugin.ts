import type { BackworksPlugin, PipelineHook } from '../../dist/plugins/plugin.js';
import type { JsonObject } from '../../dist/config/types.js';

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

/** A plugin written in TypeScript; hooks that are not given are absent, and calling one is an error. */
export function scriptPlugin(name: string, hooks: Hooks, traits: PluginTraits = {}): BackworksPlugin {
  const absent = (): never => {
    throw new Error(`an absent hook of ${name} was called`);
  };
  return {
    name,
    priority: traits.priority ?? 100,
    critical: traits.critical ?? false,
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
    beforeRequest: absent,
    processEndpoint: absent,
    afterResponse: absent,
    ...hooks,
  };
}

/** Leaves `name` in context.trail on the way in and in the header x-trail on the way out. */
export function tracer(name: string, traits: PluginTraits = {}): BackworksPlugin {
  const trail = (json: string, read: (document: JsonObject) => unknown): string => {
    const earlier = read(JSON.parse(json) as JsonObject);
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
