import type { PluginState } from '../lifecycle/entry/plugin-state.js';
import type { PluginStatus, VersionStatus } from '../lifecycle/entry/status.js';
import { addGauge, type MetricsRegistry } from '../metrics/instruments.js';

const STATES: readonly PluginState[] = [
  'discovered',
  'lazy',
  'loading',
  'ready',
  'degraded',
  'failed',
  'stopped',
];
const PROCESS_STATES = ['starting', 'spare', 'ready', 'draining'] as const;
/** Number of digits of a digest in a label. */
const DIGEST_SHOWN = 12;

type Set = (labels: Record<string, string>, value: number) => void;
type AddGauge = (
  name: string,
  help: string,
  labelNames: string[],
  measure: (plugin: PluginStatus, set: Set) => void,
) => void;

/**
 * Gauges for the current state of plugins, measured at each scrape. Call once per registry. Counters and
 * latencies are in PluginMetrics.
 */
export function addPluginGauges(registry: MetricsRegistry, plugins: () => readonly PluginStatus[]): void {
  if (registry.getSingleMetric('backworks_plugin_state') !== undefined) return;
  const add: AddGauge = (name, help, labelNames, measure) => {
    addGauge(registry, { name, help, labels: ['plugin', ...labelNames] }, (set) => {
      for (const plugin of plugins()) {
        measure(plugin, (labels, value) => set({ plugin: plugin.name, ...labels }, value));
      }
    });
  };
  add(
    'backworks_plugin_state',
    'State of a plugin: 1 for the current state, 0 for the others.',
    ['state'],
    (plugin, set) => {
      for (const state of STATES) set({ state }, plugin.state === state ? 1 : 0);
    },
  );
  add(
    'backworks_plugin_sandbox_degraded',
    '1 when a sandbox mechanism of the plugin is missing.',
    [],
    (plugin, set) => set({}, plugin.sandbox.missing.length > 0 ? 1 : 0),
  );
  add('backworks_plugin_processes', 'Processes of a plugin.', ['state'], ({ processes }, set) => {
    for (const state of PROCESS_STATES) {
      set({ state }, processes.filter((process) => process.state === state).length);
    }
  });
  addVersionGauges(add);
  add(
    'backworks_plugin_resident_bytes',
    'Resident memory of the working processes of a plugin, sampled.',
    [],
    (plugin, set) => set({}, total(plugin, 'residentBytes')),
  );
  add(
    'backworks_plugin_cpu_seconds',
    'CPU time of the working processes of a plugin since their start, sampled.',
    [],
    (plugin, set) => set({}, total(plugin, 'cpuMs') / 1000),
  );
}

function addVersionGauges(add: AddGauge): void {
  const ofVersions = (name: string, help: string, value: (version: VersionStatus) => number): void =>
    add(name, help, ['version', 'digest', 'role'], ({ versions }, set) => {
      for (const version of versions) {
        const { digest, role } = version;
        set({ version: version.version, digest: digest.slice(0, DIGEST_SHOWN), role }, value(version));
      }
    });
  ofVersions(
    'backworks_plugin_version_calls',
    'Hook calls of a version since the version was started.',
    ({ calls }) => calls,
  );
  ofVersions(
    'backworks_plugin_version_failures',
    'Hook calls of a version without a usable answer, or with a server error.',
    ({ failed }) => failed,
  );
}

function total({ processes }: PluginStatus, of: 'residentBytes' | 'cpuMs'): number {
  return processes.reduce((sum, { usage }) => sum + (usage?.[of] ?? 0), 0);
}
