import type { BackworksPlugin } from '../plugins/plugin.js';

/**
 * Plugins in the order a request passes them: lower priority first, then as given, but never before a
 * plugin they depend on. Dependencies that are absent or circular do not count.
 */
export function hookOrder(plugins: readonly BackworksPlugin[]): BackworksPlugin[] {
  const waiting = [...plugins].sort((a, b) => a.priority - b.priority);
  const ordered: BackworksPlugin[] = [];
  while (waiting.length > 0) {
    const names = new Set(waiting.map(({ name }) => name));
    const free = waiting.findIndex((plugin) => !dependsOn(plugin, names));
    ordered.push(...waiting.splice(Math.max(free, 0), 1));
  }
  return ordered;
}

function dependsOn(plugin: BackworksPlugin, names: ReadonlySet<string>): boolean {
  return plugin.metadata.dependencies.some(({ name }) => name !== plugin.name && names.has(name));
}
