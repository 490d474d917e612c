import type { BackworksPlugin } from '../plugins/plugin.js';

/**
 * Plugins in the order a request passes them: lower priority first, then as given, but never before a
 * plugin they depend on. Dependencies that are absent or circular do not count.
 */
export function hookOrder(plugins: readonly BackworksPlugin[]): BackworksPlugin[] {
  const waiting = [...plugins].sort((a, b) => a.priority - b.priority);
  const ordered: BackworksPlugin[] = [];
  while (waiting.length > 0) {
    const free = waiting.findIndex((plugin) => !waiting.some((other) => dependsOn(plugin, other)));
    ordered.push(...waiting.splice(Math.max(free, 0), 1));
  }
  return ordered;
}

function dependsOn(plugin: BackworksPlugin, other: BackworksPlugin): boolean {
  if (plugin === other) return false;
  return plugin.metadata.dependencies.some(({ kind, name }) =>
    kind === 'plugin' ? name === other.name : other.metadata.capabilities.includes(name),
  );
}
