import type { PluginState, PluginStatus } from '../plugins/status.js';

/** What /readyz answers: open to anyone, so it names plugins and states but gives no reasons. */
export interface Readiness {
  status: 'ready' | 'starting' | 'draining' | 'unavailable';
  /** Plugins that should serve and do not. */
  not_serving: { name: string; state: PluginState; critical: boolean }[];
}

/** Whether a load balancer should send requests here: an optional plugin never takes the server out. */
export function readiness(
  plugins: readonly PluginStatus[],
  phase: { draining: boolean; starting: boolean },
): Readiness {
  const notServing = plugins
    .filter(({ state }) => state === 'failed' || state === 'loading' || state === 'discovered')
    .map(({ name, state, critical }) => ({ name, state, critical }));
  return { status: statusOf(notServing, phase), not_serving: notServing };
}

function statusOf(
  notServing: Readiness['not_serving'],
  phase: { draining: boolean; starting: boolean },
): Readiness['status'] {
  if (phase.draining) return 'draining';
  if (phase.starting) return 'starting';
  const critical = notServing.filter((plugin) => plugin.critical);
  if (critical.length === 0) return 'ready';
  return critical.some(({ state }) => state === 'failed') ? 'unavailable' : 'starting';
}
