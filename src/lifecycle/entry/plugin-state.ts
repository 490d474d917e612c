import { BackworksError } from '../../errors.js';

/**
 * - discovered: found, not loaded yet
 * - lazy: starts with the first request or call that needs the plugin
 * - loading: the library is being loaded and initialized
 * - ready: serves
 * - degraded: serves, but with a problem
 * - failed: does not serve because of an error
 * - stopped: does not serve because the configuration or an operator stopped it
 */
export type PluginState = 'discovered' | 'lazy' | 'loading' | 'ready' | 'degraded' | 'failed' | 'stopped';

/**
 * State → the states a plugin can enter next. ARCHITECTURE.md contains the same table.
 * A plugin may also enter its current state again, with another reason.
 *
 * A plugin goes from discovered, lazy, failed or stopped directly to ready when a reload has started its new
 * process in advance and then switches to it.
 * @internal exported for its test
 */
export const STATE_TRANSITIONS: Readonly<Record<PluginState, readonly PluginState[]>> = {
  discovered: ['lazy', 'loading', 'ready', 'degraded', 'failed', 'stopped'],
  lazy: ['loading', 'ready', 'degraded', 'failed', 'stopped'],
  loading: ['ready', 'degraded', 'failed', 'stopped'],
  ready: ['lazy', 'degraded', 'failed', 'stopped'],
  degraded: ['lazy', 'ready', 'failed', 'stopped'],
  failed: ['lazy', 'loading', 'ready', 'degraded', 'stopped'],
  stopped: ['lazy', 'ready', 'degraded', 'failed'],
};

/** @throws BackworksError BW_INTERNAL when a plugin in state `from` cannot enter state `to` */
export function assertTransition(plugin: string, from: PluginState, to: PluginState): void {
  if (from === to || STATE_TRANSITIONS[from].includes(to)) return;
  throw new BackworksError('BW_INTERNAL', `plugin ${plugin} is ${from} and cannot become ${to}`);
}
