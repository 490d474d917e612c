import type { PluginState } from '../lifecycle/entry/plugin-state.js';
import type { PluginStatus } from '../lifecycle/entry/status.js';

const STARTING: ReadonlySet<PluginState> = new Set<PluginState>(['discovered', 'loading']);
const NOT_SERVING: ReadonlySet<PluginState> = new Set<PluginState>([...STARTING, 'failed']);

/** The answer of /readyz. Anyone can read it, so it contains names and states of plugins but no reasons. */
export interface Readiness {
  status: 'ready' | 'starting' | 'draining' | 'unavailable';
  /** Plugins that should serve but do not: failed, not loaded yet, or with an open circuit breaker. */
  not_serving: { name: string; state: PluginState; critical: boolean }[];
  /** Plugins that serve with a problem, such as an incomplete sandbox. */
  degraded: { name: string; critical: boolean; sandbox: 'complete' | 'degraded' }[];
}

/**
 * Whether a load balancer should send requests here. An optional plugin never makes the server unready. A
 * half-open circuit breaker counts as serving: without requests it would never close.
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
  return critical.every(({ state }) => STARTING.has(state)) ? 'starting' : 'unavailable';
}
