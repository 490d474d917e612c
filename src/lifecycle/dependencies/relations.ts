import type { PluginDependency } from '../../plugins/metadata.js';
import type { Provider, Resolution } from './dependency-resolver.js';
import { hookOrder, type OrderedPlugin } from '../../plugins/hook-order.js';

/** The relations of a plugin to the others. */
export interface PluginRelations {
  /** Position among the plugins that requests pass, from 1; null if no request passes the plugin. */
  readonly order: number | null;
  /** In the order of its manifest. */
  readonly needs: readonly PluginNeed[];
  /** The plugins that depend on this one directly. */
  readonly neededBy: readonly DependentPlugin[];
}

/** A dependency and its provider. */
export interface PluginNeed extends PluginDependency {
  /** The plugin that provides the dependency; null if none does or the depending plugin is disabled. */
  readonly provider: string | null;
}

/** A plugin that depends on another. */
export interface DependentPlugin {
  readonly name: string;
  /** True if the dependency is optional. */
  readonly optional: boolean;
}

export interface RelatedPlugin extends OrderedPlugin {
  /** Whether requests pass the plugin, or will when loading has finished. */
  readonly passed: boolean;
}

/** Dependencies and dependents of each plugin, in the order given. */
export function relationsOf<P extends RelatedPlugin>(
  plugins: readonly P[],
  providers: Resolution['providers'],
): (PluginRelations & { readonly plugin: P })[] {
  const ordered = hookOrder(plugins.filter(({ passed }) => passed));
  const positions = new Map(ordered.map(({ name }, index) => [name, index + 1]));
  return plugins.map((plugin) => ({
    plugin,
    order: positions.get(plugin.name) ?? null,
    needs: (plugin.metadata?.dependencies ?? []).map((dependency) => ({
      ...dependency,
      provider: providerOf(dependency, providers.get(plugin.name) ?? []),
    })),
    neededBy: dependentsOn(plugin.name, providers),
  }));
}

/** Dependencies are compared by content, because the metadata may have been read again since the resolution. */
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
