import cluster from 'node:cluster';
import type { LoggingConfig } from '../config/types.js';
import { BackworksError } from '../errors.js';
import { addProcessMetrics } from '../metrics/process-metrics.js';
import type { Log } from '../log.js';
import { endWithParent } from '../native/process/parent-death.js';
import type { VersionHistory } from '../lifecycle/records/version-history.js';
import { VersionRecords } from '../lifecycle/records/version-records.js';
import type { PreparedReload } from '../reload/prepared-reload.js';
import { createTraffic, type LocalTraffic } from '../traffic.js';
import { RpcChannel, sentError } from './rpc-channel.js';
import type { PrimaryProcedures, WorkerProcedures } from './worker-procedures.js';

const PRIMARY_ENDED = new BackworksError('BW_SERVER_WORKER', 'the primary process has ended');

export interface WorkerOptions {
  /** Makes the log of this worker; its level can be set. */
  readonly createLog: (worker: number, logging: LoggingConfig) => Log & { level: string };
  /** Where the variables come from that `permissions.env` grants. */
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * Answers requests in this process as its primary says. Resolves when the channel to the primary is
 * closed, which it is when the primary ends: then this process is to end, and its plugins end with it.
 */
export function serveWorker({ createLog, environment }: WorkerOptions): Promise<void> {
  let traffic: LocalTraffic | null = null;
  let log: (Log & { level: string }) | null = null;
  let prepared: { readonly change: PreparedReload; readonly level: string } | null = null;
  const running = (): LocalTraffic => {
    if (traffic === null) throw new BackworksError('BW_INTERNAL', 'a worker that was not started');
    return traffic;
  };
  const decided = (): { readonly change: PreparedReload; readonly level: string } => {
    if (prepared === null) throw new BackworksError('BW_INTERNAL', 'no reload was prepared');
    const decision = prepared;
    prepared = null;
    return decision;
  };

  const procedures: WorkerProcedures = {
    async start({ worker, primary: parent, config, logging, serving }) {
      // A plugin that blocks this process must not keep it from ending with its primary.
      if (!endWithParent(parent)) throw PRIMARY_ENDED;
      log = createLog(worker, logging);
      const shared = { serving, history: historyOf(config.file), agree: primaryAgrees };
      traffic = createTraffic(config, { log, environment, shared });
      traffic.onState((change) => void primary.call('state', change).catch(() => undefined));
      addProcessMetrics(traffic.metrics.registry);
      return traffic.start();
    },
    stop: async () => traffic?.stop(),
    pulse: () => undefined,
    report: () => ({ plugins: running().plugins(), rejected: running().rejected() }),
    metrics: () => running().metrics.registry.getMetricsAsJSON(),
    plan: (next) => running().plan(next),
    async prepare(next) {
      const change = await running().prepare(next);
      prepared = { change, level: next.logging.level };
      return change.plan;
    },
    async commit() {
      const { change, level } = decided();
      const failed = await change.commit();
      if (log !== null) log.level = level;
      return failed.map(({ name, error, keptFormer }) => ({ name, error: sentError(error), keptFormer }));
    },
    abort: () => decided().change.abort(),
    async control(name, args) {
      const actions = running().control as unknown as Record<
        string,
        (...args: readonly unknown[]) => unknown
      >;
      return actions[name]?.(...args);
    },
    follow: (plugin, record) => running().follow.follow(plugin, record),
    stopIfQuarantined: (plugin) => running().follow.stopIfQuarantined(plugin),
  };
  /** Read where it is, written by the primary: several would undo what the others write. */
  const historyOf = (file: string | null): (() => Promise<VersionHistory>) => {
    let records: Promise<VersionRecords> | null = null;
    const open = (): Promise<VersionRecords> => (records ??= VersionRecords.open(file));
    const history: VersionHistory = {
      read: async (plugin) => (await open()).read(plugin),
      kept: async () => (await open()).kept(),
      serves: (...args) => primary.call('serves', ...args),
      happened: (...args) => primary.call('happened', ...args),
    };
    return () => Promise.resolve(history);
  };
  const primaryAgrees = (what: string): Promise<void> => primary.call('agree', what);

  const channel = cluster.worker;
  if (channel === undefined) throw new TypeError('only a process that cluster started is a worker');
  const primary = new RpcChannel<PrimaryProcedures, WorkerProcedures>(
    {
      send: (message, sent) => void channel.process.send?.(message as object, undefined, undefined, sent),
      onMessage: (listener) => void process.on('message', listener),
    },
    procedures,
  );
  primary.call('ready').catch(() => undefined);
  return new Promise((resolve) => {
    process.once('disconnect', () => {
      primary.end(PRIMARY_ENDED);
      resolve();
    });
  });
}
