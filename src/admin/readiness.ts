import type { PluginState } from '../lifecycle/entry/plugin-state.js';
import type { PluginStatus } from '../lifecycle/entry/status.js';

const ON_ITS_WAY: ReadonlySet<PluginState> = new Set<PluginState>(['discovered', 'loading']);
const NOT_SERVING: ReadonlySet<PluginState> = new Set<PluginState>([...ON_ITS_WAY, 'failed']);

/** What /readyz answers: open to anyone, so it names plugins and states but gives no reasons. */
export interface Readiness {
  status: 'ready' | 'starting' | 'draining' | 'unavailable';
  /** Plugins that should serve and do not: failed, not loaded yet, or left alone by their circuit. */
  not_serving: { name: string; state: PluginState; critical: boolean }[];
  /** Plugins that serve although something is wrong with them, an incomplete sandbox included. */
  degraded: { name: string; critical: boolean; sandbox: 'complete' | 'degraded' }[];
}

/**
 * Whether a load balancer should send requests here: an optional plugin never takes the server out. A
 * circuit that may let a call through again counts as serving: without requests it would never close.
 */
export function readiness(
  plugins: readonly PluginStatus[],
  phase: { draining: boolean; starting: boolean },
): Readiness {
  const notServing = plugins
    .filter(({ state, circuit }) => NOT_SERVING.has(state) || circuit === 'open')
    .map(({ name, state, critical }) => ({ name, state, critical }));
  const degraded = plugins
    .filter(({ state, name }) => state === 'degraded' && !notServing.some((plugin) => plugin.name === name))
    .map(({ name, critical, sandbox }) => {
      return { name, critical, sandbox: sandbox.missing.length > 0 ? 'degraded' : 'complete' } as const;
    });
  return { status: statusOf(notServing, phase), not_serving: notServing, degraded };
}

function statusOf(
  notServing: Readiness['not_serving'],
  phase: { draining: boolean; starting: boolean },
): Readiness['status'] {
  if (phase.draining) return 'draining';
  if (phase.starting) return 'starting';
  const critical = notServing.filter((plugin) => plugin.critical);
  if (critical.length === 0) return 'ready';
  return critical.every(({ state }) => ON_ITS_WAY.has(state)) ? 'starting' : 'unavailable';
}
