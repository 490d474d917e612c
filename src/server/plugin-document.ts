import type { PluginStatus } from '../plugins/status.js';

/** A plugin's status as JSON: what the admin API answers and what `plugin list --json` prints. */
export interface PluginDocument {
  name: string;
  state: PluginStatus['state'];
  reason: string | null;
  /** ISO 8601. */
  since: string;
  origin: PluginStatus['origin'];
  type: PluginStatus['type'];
  path: string | null;
  version: string | null;
  description: string | null;
  hooks: string[];
  isolation: PluginStatus['isolation'];
  critical: boolean;
  priority: number;
  circuit: PluginStatus['circuit'];
  /** By hook. */
  calls: Record<string, { calls: number; failed: number }>;
  processes: { pid: number; state: string; started_at: string; calls: number }[];
}

/** Copies field by field, so that a new field of PluginStatus is published on purpose only. */
export function pluginDocument(plugin: PluginStatus): PluginDocument {
  return {
    name: plugin.name,
    state: plugin.state,
    reason: plugin.reason,
    since: plugin.since.toISOString(),
    origin: plugin.origin,
    type: plugin.type,
    path: plugin.path,
    version: plugin.version,
    description: plugin.description,
    hooks: [...plugin.hooks],
    isolation: plugin.isolation,
    critical: plugin.critical,
    priority: plugin.priority,
    circuit: plugin.circuit,
    calls: { ...plugin.calls },
    processes: plugin.processes.map(({ pid, state, startedAt, calls }) => ({
      pid,
      state,
      started_at: startedAt.toISOString(),
      calls,
    })),
  };
}
