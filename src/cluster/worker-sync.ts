import { BackworksError, toBackworksError } from '../errors.js';
import type { Log } from '../log.js';
import { Agreement } from './agreement.js';
import type { SwapRecord } from '../lifecycle/entry/swap-record.js';
import { SharedHistory } from './shared-history.js';
import type { WorkerProcess } from './worker-process.js';
import type { PrimaryProcedures } from './worker-procedures.js';

/** One step to carry out in a worker. */
type WorkerStep = (worker: WorkerProcess) => Promise<unknown>;

export interface WorkerSyncOptions {
  readonly configFile: string | null;
  readonly log: Log;
  /** Workers that answer requests. */
  readonly running: () => readonly WorkerProcess[];
}

/**
 * Keeps workers in the same state. Some changes are made by all workers together. Others are made by one worker
 * and then repeated in the others.
 */
export class WorkerSync {
  private readonly history: SharedHistory;
  private agreement: Agreement<WorkerProcess> | null = null;
  /** Commands of the operator, in the order in which each was last given. */
  private readonly commands = new Map<string, WorkerStep>();
  /** Starting worker → the steps that the running workers got in the meantime. */
  private readonly missedSteps = new Map<WorkerProcess, WorkerStep[]>();
  private closed = false;

  constructor(private readonly options: WorkerSyncOptions) {
    this.history = new SharedHistory(options.configFile);
  }

  /** The procedures that a worker calls when its change concerns the other workers. */
  procedures(worker: WorkerProcess): Pick<PrimaryProcedures, 'agree' | 'recordServing' | 'recordSwap'> {
    return {
      agree: async (what) => this.agreement?.ready(worker, what),
      recordServing: (plugin, version, keep) => this.history.recordServing(plugin, version, keep),
      recordSwap: async (plugin, record, keep) => {
        const { isNew, written } = this.history.recordSwap(worker.number, plugin, record, keep);
        try {
          await written;
        } finally {
          if (isNew) this.runInOthers(worker, (other) => this.follow(other, plugin, record));
        }
      },
    };
  }

  /** Called when a worker has quarantined the library of a plugin: the other workers stop it as well. */
  quarantined(worker: WorkerProcess, plugin: string): void {
    this.runInOthers(worker, (other) => other.call('stopIfQuarantined', plugin));
  }

  /** Runs work that all workers complete or none. The caller makes sure that one such work runs at a time. */
  async withAgreement<T>(
    parties: readonly WorkerProcess[],
    work: (agreement: Agreement<WorkerProcess>) => Promise<T>,
  ): Promise<T> {
    this.agreement = new Agreement(parties, ({ number }) => {
      const message = `worker ${number} read a different library file than the other workers`;
      const hint = 'the file changed while it was being read; try again';
      return new BackworksError('BW_SERVER_WORKER', message, { hint });
    });
    try {
      return await work(this.agreement);
    } finally {
      this.agreement = null;
    }
  }

  /** Records a command, so that workers that start later repeat it. @param key equal for equal commands */
  recordCommand(key: string, again: WorkerStep): void {
    this.commands.delete(key);
    this.commands.set(key, again);
  }

  /** A reload took effect. Commands that were given before no longer apply. */
  configChanged(): void {
    this.commands.clear();
  }

  /** Starts to record the steps that a starting worker misses. */
  workerStarting(worker: WorkerProcess): void {
    this.missedSteps.set(worker, []);
    this.history.forget(worker.number);
    void worker.ended.then(() => this.missedSteps.delete(worker));
  }

  /** Repeats in a worker that has just started what it missed. Never rejects. */
  async catchUp(worker: WorkerProcess): Promise<void> {
    // A command that fails here leaves the plugin as the configuration has it.
    for (const again of this.commands.values()) await again(worker).catch(() => undefined);
    for (const step of this.missedSteps.get(worker) ?? []) await this.run(worker, step);
    this.missedSteps.delete(worker);
  }

  /** The server stops: draining workers get no more steps. */
  close(): void {
    this.closed = true;
  }

  /** Kills a worker whose state differs from the others'. A replacement starts. */
  killDiverged(worker: WorkerProcess, { code, message }: BackworksError): void {
    const { number, pid } = worker;
    this.options.log.error(
      { worker: number, pid, code },
      `worker ${number} did not apply a change that the other workers applied: ${message}; it is being restarted`,
    );
    worker.kill();
  }

  /**
   * Applies the result of a swap in another worker. A failure after a rollback is an error, because a version
   * that was rolled back must not serve anywhere. After a swap it is a warning: the former version still works.
   */
  private async follow(worker: WorkerProcess, plugin: string, record: SwapRecord): Promise<void> {
    try {
      await worker.call('follow', plugin, record);
    } catch (thrown) {
      const { code, message } = toBackworksError(thrown);
      if (code === 'BW_PLUGIN_UNKNOWN' || !worker.isAlive) return;
      if (record.outcome === 'rolled_back') throw thrown;
      const { number } = worker;
      const what = `worker ${number} keeps another version of plugin ${plugin} than the other workers: ${message}`;
      this.options.log.warn({ worker: number, plugin, code }, what);
    }
  }

  private runInOthers(from: WorkerProcess, step: WorkerStep): void {
    if (this.closed) return;
    for (const other of this.options.running()) if (other !== from) void this.run(other, step);
    for (const later of this.missedSteps.values()) later.push(step);
  }

  private async run(worker: WorkerProcess, step: WorkerStep): Promise<void> {
    try {
      await step(worker);
    } catch (thrown) {
      if (worker.isAlive && !this.closed) this.killDiverged(worker, toBackworksError(thrown));
    }
  }
}
