import type { BackworksConfig, LoggingConfig } from '../config/types.js';
import { BackworksError, toBackworksError } from '../errors.js';
import { Mutex } from '../mutex.js';
import type { Log } from '../log.js';
import type { PluginStatus, StateChange } from '../lifecycle/entry/status.js';
import type { RejectedLibrary } from '../plugins/discovery.js';
import { effectiveConfig } from '../reload/settings.js';
import { WorkerSync } from './worker-sync.js';
import { countedEndpoints } from '../metrics/http-metrics.js';
import { MergedMetrics } from '../metrics/merged-metrics.js';
import { mergeStatus, MergedStates, servingLibraries } from './merged-status.js';
import { WorkerProcess } from './worker-process.js';
import { WorkerSlot } from './worker-slot.js';

/** After this many quick exits in a row, a worker is replaced only while another worker serves. */
const QUICK_EXITS_MAX = 8;

export interface WorkersOptions {
  /** Path of the worker program. It calls serveWorker(). */
  readonly program: string;
  /** The logging settings of the workers. */
  readonly logging: LoggingConfig;
  readonly log: Log;
  /** Called when the server cannot go on: workers keep exiting and none is running. */
  readonly failed: (error: BackworksError) => void;
}

/** The workers of a server: `server.workers` processes. A worker that exits unexpectedly is replaced. */
export class Workers {
  readonly slots: readonly WorkerSlot[];
  readonly metrics: MergedMetrics;
  readonly sync: WorkerSync;
  /** Plugin name → digest of the library that serves. */
  private serving: ReadonlyMap<string, string> = new Map();
  private stateListener: (change: StateChange) => void = () => undefined;
  private readonly states = new MergedStates((change) => this.stateListener(change));
  private readonly processes = new Set<WorkerProcess>();
  private readonly replacing = new Set<Promise<void>>();
  /** Held while a worker starts, and from the preparation of a reload until it is committed or aborted. */
  private readonly changes = new Mutex();
  private stopping = false;
  private wake = (): void => undefined;
  private readonly stopped = new Promise<void>((resolve) => (this.wake = resolve));

  constructor(
    private current: BackworksConfig,
    private readonly options: WorkersOptions,
  ) {
    this.slots = Array.from({ length: current.server.workers }, (_, index) => new WorkerSlot(index + 1));
    const { log } = options;
    this.sync = new WorkerSync({ configFile: current.file, log, running: () => this.running() });
    this.metrics = new MergedMetrics({
      update: async () => void (await Promise.all(this.slots.map((slot) => slot.updateMetrics()))),
      latest: () => this.slots.map(({ metrics }) => metrics),
      serving: () => this.running().length,
    });
    this.metrics.configure(countedEndpoints(current));
  }

  onState(listener: (change: StateChange) => void): void {
    this.stateListener = listener;
  }

  /** Starts all workers at once. @throws BackworksError the error of the first worker that fails to start */
  async start(): Promise<{ url: string }> {
    // When the primary exits without stopping its workers, it kills them, because a hung worker would stay.
    process.on('exit', this.killAll);
    const starts = await this.exclusively(() =>
      Promise.allSettled(this.slots.map((slot) => this.startWorker(slot))),
    );
    const failed = starts.find((start) => start.status === 'rejected');
    if (failed !== undefined) throw failed.reason as Error;
    await this.refresh();
    return starts.flatMap((start) => (start.status === 'fulfilled' ? start.value : []))[0]!;
  }

  /** Drains and stops all workers. Never rejects. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.sync.close();
    this.wake();
    await Promise.all(this.replacing);
    await Promise.all([...this.processes].map((process) => process.stop()));
    process.off('exit', this.killAll);
  }

  running(): WorkerProcess[] {
    return this.slots.flatMap(({ process }) => process ?? []);
  }

  /** Fetches the reports of all workers. Never rejects. */
  async refresh(): Promise<void> {
    await Promise.all(this.slots.map((slot) => slot.updateReport()));
    const reports = this.slots.flatMap(({ report }) => report ?? []);
    if (reports.length > 0) this.serving = servingLibraries(reports);
  }

  /** @param only the number of one worker; default: all workers, merged */
  plugins(only?: number): PluginStatus[] {
    const asked = this.slots.filter(({ number }) => only === undefined || only === number);
    return mergeStatus(
      asked.flatMap(({ number, report }) => (report === null ? [] : { worker: number, ...report })),
    );
  }

  rejected(): readonly RejectedLibrary[] {
    return this.slots.find(({ report }) => report !== null)?.report?.rejected ?? [];
  }

  /** Sets the configuration for workers that start later. Keys that need a restart keep their old values. */
  configure(next: BackworksConfig): void {
    this.current = effectiveConfig(this.current, next);
    this.metrics.configure(countedEndpoints(this.current));
    this.sync.configChanged();
  }

  /** Runs work while no worker starts. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.changes.run(work);
  }

  /** Keeps workers from starting. @returns the release function; idempotent. The caller calls it in a `finally`. */
  lock(): Promise<() => void> {
    return this.changes.acquire();
  }

  private async startWorker(slot: WorkerSlot): Promise<{ url: string }> {
    const { program, logging } = this.options;
    const { number } = slot;
    const worker = new WorkerProcess({
      program,
      number,
      procedures: (from) => ({ ...this.sync.procedures(from), state: (change) => this.note(from, change) }),
    });
    this.sync.workerStarting(worker);
    this.processes.add(worker);
    void worker.ended.then(() => this.processes.delete(worker));
    await Promise.all([worker.ready, this.refresh()]);
    const config = this.current;
    const level = config.logging.level;
    const address = await worker.call('start', {
      worker: number,
      primary: process.pid,
      config,
      logging: { ...logging, level },
      serving: this.serving,
    });
    worker.watch();
    await this.sync.catchUp(worker);
    slot.serves(worker);
    void worker.ended.then((how) => this.workerEnded(slot, worker, how));
    return address;
  }

  private note(from: WorkerProcess, change: StateChange): void {
    this.states.note(from.number, change);
    const { state, code, plugin } = change;
    if (state === 'failed' && code === 'BW_PLUGIN_QUARANTINED') this.sync.quarantined(from, plugin);
  }

  private workerEnded(slot: WorkerSlot, worker: WorkerProcess, how: string): void {
    slot.ended(this.stopping ? null : how);
    this.metrics.retain(slot.metrics);
    slot.metrics = [];
    if (this.stopping) return;
    slot.report = null;
    this.states.forget(slot.number);
    const { number } = slot;
    this.metrics.failed();
    this.options.log.error(
      { worker: number, pid: worker.pid },
      `worker ${number} ${how}; starting a replacement`,
    );
    slot.delay.failed(performance.now() - worker.startedAtMs);
    const replacing = this.replace(slot, how).finally(() => this.replacing.delete(replacing));
    this.replacing.add(replacing);
  }

  private async replace(slot: WorkerSlot, how: string): Promise<void> {
    const { number, delay } = slot;
    let last = how;
    while (delay.consecutiveFailures < QUICK_EXITS_MAX || this.running().length > 0) {
      await this.pause(delay.remainingMs());
      if (this.stopping) return;
      const startedAtMs = performance.now();
      const error = await this.exclusively(() => this.tryStart(slot));
      if (error === null) return;
      last = error.message;
      delay.failed(performance.now() - startedAtMs);
    }
    const times = `${delay.consecutiveFailures} times in a row`;
    const message = `no worker is running: worker ${number} exited ${times}; last failure: ${last}`;
    if (!this.stopping) this.options.failed(new BackworksError('BW_SERVER_WORKER', message));
  }

  private async tryStart(slot: WorkerSlot): Promise<BackworksError | null> {
    const { log } = this.options;
    const { number } = slot;
    try {
      await this.startWorker(slot);
      log.info({ worker: number, pid: slot.process?.pid }, `worker ${number} is serving again`);
      return null;
    } catch (thrown) {
      const error = toBackworksError(thrown);
      slot.failed(error.message);
      log.error({ worker: number, code: error.code }, `worker ${number} failed to start: ${error.message}`);
      const remains = [...this.processes].filter((process) => process.number === number);
      await Promise.all(remains.map((process) => process.stop()));
      return error;
    }
  }

  /** Waits, but not longer than until the server stops. */
  private async pause(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([new Promise<void>((done) => (timer = setTimeout(done, ms))), this.stopped]);
    clearTimeout(timer);
  }

  private readonly killAll = (): void => {
    for (const process of this.processes) process.kill();
  };
}
