import { benchPlugin } from './build.mjs';
import { backworksPeer } from './http-peers.mjs';

/** A Backworks whose three hooks are those of three plugins: the command line. */
export function threeHooks() {
  const hooks = ['before', 'endpoint', 'after'];
  const plugins = hooks.map((hook) => ({ name: `bench-${hook}`, path: benchPlugin(hook) }));
  return backworksPeer(plugins, 'bench-endpoint');
}
