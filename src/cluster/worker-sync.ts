import { BackworksError, toBackworksError } from '../errors.js';
import type { Log } from '../log.js';
import { Agreement } from './agreement.js';
import type { SwapRecord } from '../lifecycle/entry/swap-record.js';
import { SharedHistory } from './shared-history.js';
import type { WorkerProcess } from './worker-process.js';
import type { PrimaryProcedures } from './worker-procedures.js';

/** Has a worker do something. */
type Tell = (worker: WorkerProcess) => Promise<unknown>;

export interface WorkerSyncOptions {
  readonly configFile: string | null;
  readonly log: Log;
  /** Workers that answer requests. */
  readonly running: () => readonly WorkerProcess[];
}

/** Keeps workers alike: what they do together, and what one has done that the others are to do as well. */
export class WorkerSync {
  private readonly history: SharedHistory;
  private agreement: Agreement<WorkerProcess> | null = null;
  /** In the order in which it was last done. */
  private readonly byHand = new Map<string, Tell>();
  /** By worker that is starting, what the others were told meanwhile. */
  private readonly missed = new Map<WorkerProcess, Tell[]>();
  private closed = false;

  constructor(private readonly options: WorkerSyncOptions) {
    this.history = new SharedHistory(options.configFile);
  }

  /** What a worker asks and tells that concerns the others. */
  procedures(worker: WorkerProcess): Pick<PrimaryProcedures, 'agree' | 'serves' | 'happened'> {
    return {
      agree: async (what) => this.agreement?.ready(worker, what),
      serves: (plugin, version, keep) => this.history.serves(plugin, version, keep),
      happened: async (plugin, record, keep) => {
        const { isNew, written } = this.history.happened(worker.number, plugin, record, keep);
        try {
          await written;
        } finally {
          if (isNew) this.tellOthers(worker, (other) => this.follow(other, plugin, record));
        }
      },
    };
  }

  /** A worker has put the library of a plugin into quarantine. */
  quarantined(worker: WorkerProcess, plugin: string): void {
    this.tellOthers(worker, (other) => other.call('stopIfQuarantined', plugin));
  }

  /** Has several workers do something that all of them do or none. Nothing else is agreed upon meanwhile. */
  async agreeing<T>(
    parties: readonly WorkerProcess[],
    work: (agreement: Agreement<WorkerProcess>) => Promise<T>,
  ): Promise<T> {
    this.agreement = new Agreement(parties, ({ number }) => {
      const message = `worker ${number} found another library than the others`;
      return new BackworksError('BW_SERVER_WORKER', message, { hint: 'try again: the file has changed' });
    });
    try {
      return await work(this.agreement);
    } finally {
      this.agreement = null;
    }
  }

  /** Workers that start have it done as well. @param key the same for the same action */
  doneByHand(key: string, again: Tell): void {
    this.byHand.delete(key);
    this.byHand.set(key, again);
  }

  /** Another configuration is in force: what was done by hand before does not count any more. */
  configured(): void {
    this.byHand.clear();
  }

  /** From now on it is remembered what the others are told. */
  starts(worker: WorkerProcess): void {
    this.missed.set(worker, []);
    this.history.forget(worker.number);
    void worker.ended.then(() => this.missed.delete(worker));
  }

  /** A worker has started with the configuration: it becomes what the others are. Never rejects. */
  async catchUp(worker: WorkerProcess): Promise<void> {
    // A plugin that does not start by hand again is left as it is.
    for (const again of this.byHand.values()) await again(worker).catch(() => undefined);
    for (const tell of this.missed.get(worker) ?? []) await this.tell(worker, tell);
    this.missed.delete(worker);
  }

  /** The server stops: workers that drain are left alone. */
  close(): void {
    this.closed = true;
  }

  /** A worker is not what the others are: it ends, and another takes its place. */
  expel(worker: WorkerProcess, { code, message }: BackworksError): void {
    const { number, pid } = worker;
    this.options.log.error(
      { worker: number, pid, code },
      `worker ${number} did not apply a change that the other workers applied: ${message}; it is being restarted`,
    );
    worker.kill();
  }

  /** A version that was taken back must serve nowhere; without one that is new a worker is as good as before. */
  private async follow(worker: WorkerProcess, plugin: string, record: SwapRecord): Promise<void> {
    try {
      await worker.call('follow', plugin, record);
    } catch (thrown) {
      const { code, message } = toBackworksError(thrown);
      if (code === 'BW_PLUGIN_UNKNOWN' || !worker.isAlive) return;
      if (record.outcome === 'rolled_back') throw thrown;
      const { number } = worker;
      const what = `worker ${number} goes on with another version of plugin ${plugin} than others: ${message}`;
      this.options.log.warn({ worker: number, plugin, code }, what);
    }
  }

  private tellOthers(from: WorkerProcess, tell: Tell): void {
    if (this.closed) return;
    for (const other of this.options.running()) if (other !== from) void this.tell(other, tell);
    for (const later of this.missed.values()) later.push(tell);
  }

  private async tell(worker: WorkerProcess, tell: Tell): Promise<void> {
    try {
      await tell(worker);
    } catch (thrown) {
      if (worker.isAlive && !this.closed) this.expel(worker, toBackworksError(thrown));
    }
  }
}
