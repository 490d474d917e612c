import { addGauge, addMeasuredCounter, type MetricsRegistry } from '../metrics/instruments.js';
import type { Target } from './target.js';
import type { TargetGroup } from './target-group.js';

const TARGET = ['endpoint', 'target'];

/**
 * Adds the metrics of proxy targets, measured at each scrape. Only the configuration adds labels.
 * @param groups the groups in service
 */
export function addProxyMetrics(registry: MetricsRegistry, groups: () => readonly TargetGroup[]): void {
  type Set = (labels: Record<string, string>, value: number) => void;
  const ofTargets =
    (value: (target: Target) => number) =>
    (set: Set): void => {
      for (const { endpoint, targets } of groups())
        for (const target of targets) set({ endpoint, target: target.url }, value(target));
    };
  addGauge(
    registry,
    {
      name: 'backworks_proxy_target_up',
      help: 'Whether a proxy target gets requests: 0 when it is out or down. With workers, the lowest value.',
      labels: TARGET,
    },
    ofTargets(({ health }) => (health.state === 'up' ? 1 : 0)),
  );
  addGauge(
    registry,
    {
      name: 'backworks_proxy_requests_in_flight',
      help: 'Requests that a proxy target has not answered completely.',
      labels: TARGET,
    },
    ofTargets(({ inFlight }) => inFlight),
  );
  addMeasuredCounter(
    registry,
    {
      name: 'backworks_proxy_requests_total',
      help: 'Requests that were sent to a proxy target, repeated ones included.',
      labels: TARGET,
    },
    ofTargets(({ requests }) => requests),
  );
  addMeasuredCounter(
    registry,
    {
      name: 'backworks_proxy_failures_total',
      help: 'Requests that a proxy target did not answer.',
      labels: TARGET,
    },
    ofTargets(({ failures }) => failures),
  );
  addMeasuredCounter(
    registry,
    {
      name: 'backworks_proxy_retries_total',
      help: 'Requests of a proxy endpoint that were sent to another target after a failure.',
      labels: ['endpoint'],
    },
    (set) => {
      for (const { endpoint, retries } of groups()) set({ endpoint }, retries);
    },
  );
}
