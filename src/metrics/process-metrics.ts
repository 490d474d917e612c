import { collectDefaultMetrics, type Registry } from 'prom-client';

/**
 * Gauges of prom-client that Prometheus would take for counters, because their names end in `_total`. The
 * gauges without the suffix have the same values by type.
 */
const MISNAMED = [
  'nodejs_active_resources_total',
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
];

/** Registers CPU, memory and event-loop lag of this process. Call once per registry. */
export function addProcessMetrics(registry: Registry): void {
  if (registry.getSingleMetric('process_cpu_user_seconds_total') !== undefined) return;
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
}
