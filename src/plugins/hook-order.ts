import type { PluginMetadata } from './metadata.js';

/** The facts about a plugin that decide its position in the pipeline. */
export interface OrderedPlugin {
  readonly name: string;
  readonly priority: number;
  /** Null if the library was not described. The plugin then has no dependencies. */
  readonly metadata: Pick<PluginMetadata, 'capabilities' | 'dependencies'> | null;
}

/**
 * Sorts plugins into the order in which requests pass them: lower priority first, equal priorities in the given
 * order, but each plugin after its dependencies. Missing and circular dependencies are ignored.
 */
export function hookOrder<P extends OrderedPlugin>(plugins: readonly P[]): P[] {
  const waiting = [...plugins].sort((a, b) => a.priority - b.priority);
  const ordered: P[] = [];
  while (waiting.length > 0) {
    const free = waiting.findIndex((plugin) => !waiting.some((other) => dependsOn(plugin, other)));
    ordered.push(...waiting.splice(Math.max(free, 0), 1));
  }
  return ordered;
}

function dependsOn(plugin: OrderedPlugin, other: OrderedPlugin): boolean {
  if (plugin === other) return false;
  return (plugin.metadata?.dependencies ?? []).some(({ kind, name }) =>
    kind === 'plugin' ? name === other.name : other.metadata?.capabilities.includes(name),
  );
}
