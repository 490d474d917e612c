import type { BackworksConfig } from '../config/types.js';

/**
 * Decides which plugins are offered a request that no endpoint matches. Endpoints that name a plugin list what
 * the plugin serves, so it is offered nothing else, unless `server.unmatched` is `plugins`.
 * @returns whether the plugin with a given name is offered such requests
 */
export function offersUnmatched({
  server: { unmatched },
  endpoints,
}: Pick<BackworksConfig, 'server' | 'endpoints'>): (plugin: string) => boolean {
  if (unmatched !== 'plugins-without-endpoint') return () => unmatched === 'plugins';
  const named = new Set(endpoints.map(({ target }) => (target.kind === 'plugin' ? target.plugin : null)));
  return (plugin) => !named.has(plugin);
}
