import type { PluginDependency } from '../../plugins/metadata.js';
import type { Provider, Resolution } from './dependency-resolver.js';
import { hookOrder, type OrderedPlugin } from '../../plugins/hook-order.js';

/** What a plugin is to the others. */
export interface PluginRelations {
  /** Its place among the plugins a request passes, from 1; null for one that no request passes. */
  readonly order: number | null;
  /** In the order of its manifest. */
  readonly needs: readonly PluginNeed[];
  /** The plugins it provides something for, not those that need it through others. */
  readonly neededBy: readonly DependentPlugin[];
}

/** Something a plugin depends on. */
export interface PluginNeed extends PluginDependency {
  /** The plugin that provides it; null when none does, and for a plugin that is disabled. */
  readonly provider: string | null;
}

/** A plugin that needs another one. */
export interface DependentPlugin {
  readonly name: string;
  /** True when it can do without. */
  readonly optional: boolean;
}

export interface RelatedPlugin extends OrderedPlugin {
  /** Whether requests pass it, or will when it is loaded. */
  readonly passed: boolean;
}

/** Dependencies and dependents of each plugin, in the order given. */
export function relationsOf<P extends RelatedPlugin>(
  plugins: readonly P[],
  providers: Resolution['providers'],
): (PluginRelations & { readonly plugin: P })[] {
  const ordered = hookOrder(plugins.filter(({ passed }) => passed));
  const places = new Map(ordered.map(({ name }, index) => [name, index + 1]));
  return plugins.map((plugin) => ({
    plugin,
    order: places.get(plugin.name) ?? null,
    needs: (plugin.metadata?.dependencies ?? []).map((dependency) => ({
      ...dependency,
      provider: providerOf(dependency, providers.get(plugin.name) ?? []),
    })),
    neededBy: dependentsOn(plugin.name, providers),
  }));
}

/** By content: the metadata may have been read again since it was resolved. */
function providerOf(
  { kind, name, version }: PluginDependency,
  providers: readonly Provider[],
): string | null {
  const found = providers.find(
    ({ dependency }) =>
      dependency.kind === kind && dependency.name === name && dependency.version === version,
  );
  return found?.name ?? null;
}

function dependentsOn(name: string, providers: Resolution['providers']): DependentPlugin[] {
  return [...providers].flatMap(([dependent, needed]) => {
    const uses = needed.filter((provider) => provider.name === name);
    if (uses.length === 0) return [];
    return { name: dependent, optional: uses.every(({ dependency }) => dependency.optional) };
  });
}
