import type { Resolution } from '../dependencies/dependency-resolver.js';
import { relationsOf } from '../dependencies/relations.js';
import type { RegistryEntry } from '../entry/registry-entry.js';
import type { PluginState } from '../entry/plugin-state.js';
import type { PluginStatus } from '../entry/status.js';

/** A request passes it when it is loaded. */
const COMING: readonly PluginState[] = ['discovered', 'loading'];

/** The status of plugins: what each is by itself, and what it is to the others. */
export function statusList(
  entries: readonly RegistryEntry[],
  providers: Resolution['providers'],
): PluginStatus[] {
  const plugins = entries.map((entry) => {
    const status = entry.status();
    const { name, priority, state } = status;
    const passed = entry.serving !== null || COMING.includes(state);
    return { name, priority, metadata: entry.metadata, passed, status };
  });
  return relationsOf(plugins, providers).map(({ plugin, ...relations }) => ({
    ...plugin.status,
    ...relations,
  }));
}
