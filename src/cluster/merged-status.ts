import type { CircuitStateName } from '../execution/executor.js';
import type { PluginState } from '../lifecycle/entry/plugin-state.js';
import type {
  PluginProcess,
  PluginStatus,
  StateChange,
  VersionRole,
  VersionStatus,
} from '../lifecycle/entry/status.js';
import type { SwapRecord } from '../lifecycle/entry/swap-record.js';
import type { WorkerReport } from './worker-procedures.js';

/**
 * States from best to worst. The merged state is the worst state of any worker. `lazy` comes first, so that a
 * plugin counts as lazy only while no worker has started it.
 */
const STATES: Readonly<Record<PluginState, number>> = {
  lazy: 0,
  ready: 1,
  stopped: 2,
  discovered: 3,
  loading: 4,
  degraded: 5,
  failed: 6,
};
const CIRCUITS: Readonly<Record<CircuitStateName, number>> = { closed: 0, 'half-open': 1, open: 2 };
const ROLES: Readonly<Record<VersionRole, number>> = { serving: 0, canary: 1, standby: 1, leaving: 2 };
const FAILURES_MAX = 5;

/** The item with the highest order; the first of several equals. */
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

/** Merges the plugins of all workers into one list: the worst state, all processes, the sum of the calls. */
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

/** Plugin name → digest of the library that serves. Where workers differ, the first worker's digest. */
export function servingLibraries(reports: readonly WorkerReport[]): Map<string, string> {
  const serving = new Map<string, string>();
  for (const { name, versions } of reports.flatMap(({ plugins }) => plugins)) {
    const digest = versions.find(({ role }) => role === 'serving')?.digest;
    if (digest !== undefined && !serving.has(name)) serving.set(name, digest);
  }
  return serving;
}

function mergePlugin(all: readonly NumberedStatus[]): PluginStatus {
  const { worker, status } = worst(all, (one) => STATES[one.status.state]);
  const { reason } = status;
  const everywhere = all.every((other) => other.status.state === status.state);
  const failures = all.flatMap((one) => one.status.failures);
  return {
    ...status,
    reason: reason === null || everywhere ? reason : `worker ${worker}: ${reason}`,
    circuit: worst(all, (one) => CIRCUITS[one.status.circuit]).status.circuit,
    hasDenied: all.some((one) => one.status.hasDenied),
    calls: addCalls(all),
    processes: all.flatMap((one) => ofWorker(one.worker, one.status.processes)),
    versions: mergeVersions(all),
    trial: all.find((one) => one.status.trial !== null)?.status.trial ?? null,
    lastSwap: newest(all.flatMap((one) => one.status.lastSwap ?? [])),
    refusals: addRefusals(all),
    failures: failures.sort((a, b) => b.time.getTime() - a.time.getTime()).slice(0, FAILURES_MAX),
  };
}

function ofWorker(worker: number, processes: readonly PluginProcess[]): PluginProcess[] {
  return processes.map((process) => ({ ...process, worker }));
}

/** Versions with the same role and digest are merged into one, with the sum of their numbers. */
function mergeVersions(all: readonly NumberedStatus[]): VersionStatus[] {
  const merged = new Map<string, VersionStatus>();
  for (const { worker, status } of all) {
    for (const version of status.versions) {
      const key = `${version.role} ${version.digest}`;
      const sum = merged.get(key);
      merged.set(key, {
        ...version,
        calls: version.calls + (sum?.calls ?? 0),
        failed: version.failed + (sum?.failed ?? 0),
        busyMs: version.busyMs + (sum?.busyMs ?? 0),
        crashes: version.crashes + (sum?.crashes ?? 0),
        processes: [...(sum?.processes ?? []), ...ofWorker(worker, version.processes)],
      });
    }
  }
  return [...merged.values()].sort((a, b) => ROLES[a.role] - ROLES[b.role]);
}

function newest(records: readonly SwapRecord[]): SwapRecord | null {
  return records.reduce<SwapRecord | null>(
    (last, one) => (last === null || one.time > last.time ? one : last),
    null,
  );
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

/** Reports a state change of a plugin only when its merged state changes. */
export class MergedStates {
  private readonly plugins = new Map<string, Map<number, StateChange>>();
  private readonly reported = new Map<string, StateChange>();

  constructor(private readonly report: (change: StateChange) => void) {}

  note(worker: number, change: StateChange): void {
    const workers = this.plugins.get(change.plugin) ?? new Map<number, StateChange>();
    this.plugins.set(change.plugin, workers.set(worker, change));
    this.update(change.plugin, workers, change.time);
  }

  /** Drops the states of a worker that exited. */
  forget(worker: number): void {
    for (const [plugin, workers] of this.plugins) {
      if (workers.delete(worker)) this.update(plugin, workers, new Date());
    }
  }

  private update(plugin: string, workers: ReadonlyMap<number, StateChange>, time: Date): void {
    if (workers.size === 0) return;
    const change = worst([...workers.values()], ({ state }) => STATES[state]);
    const reported = this.reported.get(plugin);
    if (
      reported?.state === change.state &&
      reported.reason === change.reason &&
      reported.code === change.code
    )
      return;
    this.reported.set(plugin, change);
    this.report({ ...change, time });
  }
}
