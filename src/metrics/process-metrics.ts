import { collectDefaultMetrics, type Registry } from 'prom-client';

/** CPU, memory and event-loop lag of this process; once per registry. */
export function addProcessMetrics(registry: Registry): void {
  if (registry.getSingleMetric('process_cpu_user_seconds_total') !== undefined) return;
  collectDefaultMetrics({ register: registry });
}
