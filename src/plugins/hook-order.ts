import type { PluginMetadata } from './metadata.js';

/** A plugin as far as its place in a request's way is concerned. */
export interface OrderedPlugin {
  readonly name: string;
  readonly priority: number;
  /** Null when its library was not described: then it depends on nothing. */
  readonly metadata: Pick<PluginMetadata, 'capabilities' | 'dependencies'> | null;
}

/**
 * Plugins in the order a request passes them: lower priority first, then as given, but never before a
 * plugin they depend on. Dependencies that are absent or circular do not count.
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
