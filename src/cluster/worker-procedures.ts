import type { BackworksConfig, LoggingConfig } from '../config/types.js';
import type { PluginStatus, StateChange } from '../lifecycle/entry/status.js';
import type { RejectedLibrary } from '../plugins/discovery.js';
import type { ReloadPlan } from '../reload/prepared-reload.js';
import type { SwapRecord } from '../lifecycle/entry/swap-record.js';
import type { VersionHistory } from '../lifecycle/records/version-history.js';
import type { TrafficControl } from '../traffic.js';
import type { SentError } from './rpc-channel.js';

/** Commands of an operator that the primary forwards to workers. */
export type ControlName = keyof TrafficControl;

export interface WorkerStart {
  /** Counted from 1. A replacement has the number of the worker it replaces. */
  readonly worker: number;
  /** Process id of the primary. */
  readonly primary: number;
  readonly config: BackworksConfig;
  readonly logging: LoggingConfig;
  /** Plugin name → digest of the library that serves in the other workers. */
  readonly serving: ReadonlyMap<string, string>;
}

/** The plugins of one worker, as it reports them to the primary. */
export interface WorkerReport {
  readonly plugins: readonly PluginStatus[];
  readonly rejected: readonly RejectedLibrary[];
}

/** A FailedChange as it is sent to another process. */
export interface SentFailedChange {
  readonly name: string;
  readonly error: SentError;
  readonly previousServes: boolean;
}

/** Procedures of a worker that the primary calls. Arguments and results are copied by structured clone. */
export interface WorkerProcedures {
  start(how: WorkerStart): Promise<{ url: string }>;
  /** Drains and shuts plugins down. The worker exits when the primary closes the channel. */
  stop(): Promise<void>;
  /** Answers at once, which shows that the event loop is not blocked. */
  heartbeat(): void;
  report(): WorkerReport;
  /** In the form of prom-client's getMetricsAsJSON(). */
  metrics(): Promise<object[]>;
  plan(next: BackworksConfig): Promise<ReloadPlan>;
  /** Exactly one of commit() and abort() follows. */
  prepare(next: BackworksConfig): Promise<ReloadPlan>;
  commit(): Promise<SentFailedChange[]>;
  abort(): Promise<void>;
  control(name: ControlName, args: readonly unknown[]): Promise<unknown>;
  /** Applies the result of a swap that happened in another worker. */
  follow(plugin: string, record: SwapRecord): Promise<void>;
  /** Stops a plugin whose library another worker has put into quarantine. */
  stopIfQuarantined(plugin: string): Promise<void>;
}

/** Procedures of the primary that a worker calls. */
export interface PrimaryProcedures {
  /** The worker receives messages from now on. Messages sent before its program has loaded are lost. */
  ready(): void;
  state(change: StateChange): void;
  /** See SharedVersions. */
  agree(what: string): Promise<void>;
  /** See VersionHistory; both procedures write to the history. */
  recordServing: VersionHistory['recordServing'];
  recordSwap: VersionHistory['recordSwap'];
}
