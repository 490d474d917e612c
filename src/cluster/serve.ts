import cluster from 'node:cluster';
import type { BackworksConfig, LoggingConfig } from '../config/types.js';
import { BackworksError } from '../errors.js';
import { addProcessMetrics } from '../metrics/process-metrics.js';
import type { Log } from '../log.js';
import { endWithParent } from '../native/process/parent-death.js';
import type { VersionHistory } from '../lifecycle/records/version-history.js';
import { VersionRecords } from '../lifecycle/records/version-records.js';
import type { PreparedReload, ReloadPlan } from '../reload/prepared-reload.js';
import { createTraffic, type LocalTraffic } from '../traffic.js';
import { RpcChannel, procedureNamed, sentError } from './rpc-channel.js';
import type {
  PrimaryProcedures,
  SentFailedChange,
  WorkerProcedures,
  WorkerStart,
} from './worker-procedures.js';

const PRIMARY_ENDED = new BackworksError('BW_SERVER_WORKER', 'the primary process has ended');

export interface WorkerOptions {
  /** Makes the log of this worker; its level can be set. */
  readonly createLog: (worker: number, logging: LoggingConfig) => Log & { level: string };
  /** Values of the variables that `permissions.env` grants to plugins. */
  readonly environment: NodeJS.ProcessEnv;
}

type ToPrimary = RpcChannel<PrimaryProcedures, WorkerProcedures>['call'];
type LevelledLog = Log & { level: string };

/**
 * Runs this process as a worker that its primary controls. Resolves when the channel to the primary is closed,
 * as it is when the primary exits, or when the primary breaks the protocol. The caller then exits the process;
 * its plugins end with it.
 */
export function serveWorker(options: WorkerOptions): Promise<void> {
  const channel = cluster.worker;
  if (channel === undefined) throw new TypeError('only a process that cluster started is a worker');
  return new Promise((resolve) => {
    const worker = new ServingWorker(options, (...call) => primary.call(...call));
    const primary: RpcChannel<PrimaryProcedures, WorkerProcedures> = new RpcChannel(
      {
        send: (message, sent) => void channel.process.send?.(message as object, undefined, undefined, sent),
        onMessage: (listener) => void process.on('message', listener),
      },
      worker.procedures(),
      (violation) => {
        worker.reportViolation(violation);
        resolve();
      },
    );
    primary.call('ready').catch(() => undefined);
    process.once('disconnect', () => {
      primary.end(PRIMARY_ENDED);
      resolve();
    });
  });
}

/** The state of a worker between two calls from the primary. */
class ServingWorker {
  private traffic: LocalTraffic | null = null;
  private log: LevelledLog | null = null;
  /** A prepared reload that waits for the primary's decision, and the log level of its configuration. */
  private prepared: { readonly change: PreparedReload; readonly level: string } | null = null;
  private stopping = false;

  constructor(
    private readonly options: WorkerOptions,
    private readonly primary: ToPrimary,
  ) {}

  procedures(): WorkerProcedures {
    return {
      start: (how) => this.start(how),
      stop: () => this.stop(),
      heartbeat: () => undefined,
      report: () => ({ plugins: this.running.plugins(), rejected: this.running.rejected() }),
      metrics: () => this.running.metrics.registry.getMetricsAsJSON(),
      plan: (next) => this.running.plan(next),
      prepare: (next) => this.prepare(next),
      commit: () => this.commit(),
      abort: () => this.decided().change.abort(),
      control: async (name, args) => procedureNamed(this.running.control, name)(...args),
      follow: (plugin, record) => this.running.follow.follow(plugin, record),
      stopIfQuarantined: (plugin) => this.running.follow.stopIfQuarantined(plugin),
    };
  }

  reportViolation({ code, message }: BackworksError): void {
    this.log?.error({ code }, `the primary process broke the protocol: ${message}; this worker exits`);
  }

  private async start(how: WorkerStart): Promise<{ url: string }> {
    // A plugin that blocks the event loop must not keep this process alive after its primary has died.
    if (!endWithParent(how.primary)) throw PRIMARY_ENDED;
    const { createLog, environment } = this.options;
    this.log = createLog(how.worker, how.logging);
    this.traffic = createTraffic(how.config, {
      log: this.log,
      environment,
      shared: {
        serving: how.serving,
        history: historyOf(how.config.file, this.primary),
        agree: (what) => this.primary('agree', what),
      },
    });
    this.traffic.onState((change) => void this.primary('state', change).catch(() => undefined));
    addProcessMetrics(this.traffic.metrics.registry);
    return this.traffic.start();
  }

  private async stop(): Promise<void> {
    this.stopping = true;
    // Plugins cannot shut down while a prepared reload holds the registry's lock.
    await this.undo();
    await this.traffic?.stop();
  }

  private async prepare(next: BackworksConfig): Promise<ReloadPlan> {
    await this.undo();
    const change = await this.running.prepare(next);
    if (this.stopping) {
      await change.abort();
      throw new BackworksError('BW_RELOAD_REFUSED', 'nothing was changed: the worker is stopping');
    }
    this.prepared = { change, level: next.logging.level };
    return change.plan;
  }

  private async commit(): Promise<SentFailedChange[]> {
    const { change, level } = this.decided();
    const failed = await change.commit();
    if (this.log !== null) this.log.level = level;
    return failed.map(({ name, error, previousServes }) => ({
      name,
      error: sentError(error),
      previousServes,
    }));
  }

  /** Aborts a reload that was prepared and never decided. */
  private async undo(): Promise<void> {
    if (this.prepared !== null) await this.decided().change.abort();
  }

  private decided(): { readonly change: PreparedReload; readonly level: string } {
    const { prepared } = this;
    if (prepared === null) throw new BackworksError('BW_INTERNAL', 'no reload was prepared');
    this.prepared = null;
    return prepared;
  }

  private get running(): LocalTraffic {
    if (this.traffic === null) throw new BackworksError('BW_INTERNAL', 'the worker was not started');
    return this.traffic;
  }
}

/** A worker reads the history from disk. Only the primary writes: several writers would undo each other's changes. */
function historyOf(file: string | null, primary: ToPrimary): () => Promise<VersionHistory> {
  let records: Promise<VersionRecords> | null = null;
  const open = (): Promise<VersionRecords> => (records ??= VersionRecords.open(file));
  const history: VersionHistory = {
    read: async (plugin) => (await open()).read(plugin),
    kept: async () => (await open()).kept(),
    recordServing: (...args) => primary('recordServing', ...args),
    recordSwap: (...args) => primary('recordSwap', ...args),
  };
  return () => Promise.resolve(history);
}
