import { BackworksError } from '../../errors.js';

/**
 * - discovered: known, not loaded yet
 * - lazy: starts with the first request or call that needs it
 * - loading: its library is being loaded and initialized
 * - ready: serves
 * - degraded: serves, but something is wrong
 * - failed: does not serve, because something went wrong
 * - stopped: does not serve, because somebody wanted that
 */
export type PluginState = 'discovered' | 'lazy' | 'loading' | 'ready' | 'degraded' | 'failed' | 'stopped';

/**
 * For each state, the states a plugin can enter next. The same table stands in ARCHITECTURE.md.
 * A plugin may also enter the state it is in again, with another reason.
 *
 * A plugin goes from discovered, lazy, failed or stopped straight to ready when a reload brought its new
 * process up beside the running ones and then switched to it.
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
