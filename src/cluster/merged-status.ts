import type { CircuitStateName } from '../execution/executor.js';
import type { PluginState, PluginStatus, StateChange } from '../plugins/registry/status.js';
import type { WorkerReport } from './worker-procedures.js';

/** From well to worse: what is told of several workers is the worst. */
const STATES: readonly PluginState[] = ['ready', 'stopped', 'discovered', 'loading', 'degraded', 'failed'];
const CIRCUITS: readonly CircuitStateName[] = ['closed', 'half-open', 'open'];
const FAILURES_MAX = 5;

/** Who is worse off; of equals the first. */
function worst<T>(all: readonly T[], order: (one: T) => number): T {
  return all.reduce((worse, one) => (order(one) > order(worse) ? one : worse));
}

export interface NumberedReport extends WorkerReport {
  readonly worker: number;
}

interface NumberedStatus {
  readonly worker: number;
  readonly status: PluginStatus;
}

/** The plugins of several workers as one list: the worst state, all processes, calls added up. */
export function mergeStatus(reports: readonly NumberedReport[]): PluginStatus[] {
  const byName = new Map<string, NumberedStatus[]>();
  for (const { worker, plugins } of reports) {
    for (const status of plugins) {
      const all = byName.get(status.name) ?? [];
      byName.set(status.name, [...all, { worker, status }]);
    }
  }
  return [...byName.values()].map(mergePlugin);
}

function mergePlugin(all: readonly NumberedStatus[]): PluginStatus {
  const { worker, status } = worst(all, (one) => STATES.indexOf(one.status.state));
  const { reason } = status;
  const everywhere = all.every((other) => other.status.state === status.state);
  const failures = all.flatMap((one) => one.status.failures);
  return {
    ...status,
    reason: reason === null || everywhere ? reason : `worker ${worker}: ${reason}`,
    circuit: worst(all, (one) => CIRCUITS.indexOf(one.status.circuit)).status.circuit,
    calls: addCalls(all),
    processes: all.flatMap((one) =>
      one.status.processes.map((process) => ({ ...process, worker: one.worker })),
    ),
    refusals: addRefusals(all),
    failures: failures.sort((a, b) => b.time.getTime() - a.time.getTime()).slice(0, FAILURES_MAX),
  };
}

function addCalls(all: readonly NumberedStatus[]): PluginStatus['calls'] {
  const sums: Record<string, { calls: number; failed: number }> = {};
  for (const [hook, { calls, failed }] of all.flatMap((one) => Object.entries(one.status.calls))) {
    const sum = (sums[hook] ??= { calls: 0, failed: 0 });
    sum.calls += calls;
    sum.failed += failed;
  }
  return sums;
}

function addRefusals(all: readonly NumberedStatus[]): PluginStatus['refusals'] {
  const sums = new Map<string, PluginStatus['refusals'][number]>();
  for (const refusal of all.flatMap((one) => one.status.refusals)) {
    const key = JSON.stringify([refusal.permission, refusal.function, refusal.object]);
    const sum = sums.get(key) ?? { ...refusal, times: 0 };
    const last = refusal.last > sum.last ? refusal.last : sum.last;
    sums.set(key, { ...sum, times: sum.times + refusal.times, last });
  }
  return [...sums.values()];
}

/** Tells of a plugin's state only when it is another one over all workers. */
export class MergedStates {
  private readonly plugins = new Map<string, Map<number, StateChange>>();
  private readonly told = new Map<string, StateChange>();

  constructor(private readonly tell: (change: StateChange) => void) {}

  note(worker: number, change: StateChange): void {
    const workers = this.plugins.get(change.plugin) ?? new Map<number, StateChange>();
    this.plugins.set(change.plugin, workers.set(worker, change));
    this.update(change.plugin, workers, change.time);
  }

  /** A worker is no more; what was wrong with its plugins ended with it. */
  forget(worker: number): void {
    for (const [plugin, workers] of this.plugins) {
      if (workers.delete(worker)) this.update(plugin, workers, new Date());
    }
  }

  private update(plugin: string, workers: ReadonlyMap<number, StateChange>, time: Date): void {
    if (workers.size === 0) return;
    const change = worst([...workers.values()], ({ state }) => STATES.indexOf(state));
    const told = this.told.get(plugin);
    if (told?.state === change.state && told.reason === change.reason && told.code === change.code) return;
    this.told.set(plugin, change);
    this.tell({ ...change, time });
  }
}
