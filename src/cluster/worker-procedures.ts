import type { BackworksConfig, LoggingConfig } from '../config/types.js';
import type { PluginStatus, StateChange } from '../lifecycle/entry/status.js';
import type { RejectedLibrary } from '../plugins/discovery.js';
import type { ReloadPlan } from '../reload/prepared-reload.js';
import type { SwapRecord } from '../lifecycle/entry/swap-record.js';
import type { VersionHistory } from '../lifecycle/records/version-history.js';
import type { TrafficControl } from '../traffic.js';
import type { SentError } from './rpc-channel.js';

/** Actions of an operator, as they are passed on. */
export type ControlName = keyof TrafficControl;

export interface WorkerStart {
  /** From 1; a worker that takes the place of another has its number. */
  readonly worker: number;
  /** Process of the primary. */
  readonly primary: number;
  readonly config: BackworksConfig;
  readonly logging: LoggingConfig;
  /** By plugin, the digest of the library that serves in other workers. */
  readonly serving: ReadonlyMap<string, string>;
}

/** What a worker says of its plugins. */
export interface WorkerReport {
  readonly plugins: readonly PluginStatus[];
  readonly rejected: readonly RejectedLibrary[];
}

/** A plugin whose change did not succeed, on its way to another process. */
export interface SentFailedChange {
  readonly name: string;
  readonly error: SentError;
  readonly keptFormer: boolean;
}

/** What the primary has a worker do. Everything is passed by structured clone. */
export interface WorkerProcedures {
  start(how: WorkerStart): Promise<{ url: string }>;
  /** Drains and shuts plugins down; the worker ends when its channel is closed. */
  stop(): Promise<void>;
  /** Answers, which is all it is asked for. */
  pulse(): void;
  report(): WorkerReport;
  /** In the form of prom-client's getMetricsAsJSON(). */
  metrics(): Promise<object[]>;
  plan(next: BackworksConfig): Promise<ReloadPlan>;
  /** Exactly one of commit() and abort() follows. */
  prepare(next: BackworksConfig): Promise<ReloadPlan>;
  commit(): Promise<SentFailedChange[]>;
  abort(): Promise<void>;
  control(name: ControlName, args: readonly unknown[]): Promise<unknown>;
  /** Does what became of a swap in another worker. */
  follow(plugin: string, record: SwapRecord): Promise<void>;
  /** Stops a plugin whose library another worker has put into quarantine. */
  stopIfQuarantined(plugin: string): Promise<void>;
}

/** What a worker tells the primary. */
export interface PrimaryProcedures {
  /** It listens: what is sent before its program has been loaded is lost. */
  ready(): void;
  state(change: StateChange): void;
  /** See SharedVersions. */
  agree(what: string): Promise<void>;
  /** See VersionHistory, which these two write. */
  serves: VersionHistory['serves'];
  happened: VersionHistory['happened'];
}
