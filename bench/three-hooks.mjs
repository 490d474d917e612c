import { benchPlugin } from './build.mjs';
import { backworksPeer } from './http-peers.mjs';

/** The command line of a Backworks server whose three hooks belong to three plugins. */
export function threeHooks() {
  const hooks = ['before', 'endpoint', 'after'];
  const plugins = hooks.map((hook) => ({ name: `bench-${hook}`, path: benchPlugin(hook) }));
  return backworksPeer(plugins, 'bench-endpoint');
}
