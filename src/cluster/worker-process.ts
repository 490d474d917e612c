import cluster, { type Worker } from 'node:cluster';
import { BackworksError } from '../errors.js';
import { RpcChannel } from './rpc-channel.js';
import type { PrimaryProcedures, WorkerProcedures } from './worker-procedures.js';

/** Time for a worker to exit after it has stopped serving; then the primary kills it. */
const EXIT_LIMIT_MS = 5000;
/** Missed heartbeats (30 s in total) after which the primary treats a worker as hung. */
const HEARTBEAT_MS = 5000;
const MISSED_HEARTBEATS_MAX = 6;

export interface WorkerProcessOptions {
  /** Path of the program, which calls serveWorker(). */
  readonly program: string;
  readonly number: number;
  /** The procedures that this worker may call in the primary. */
  readonly procedures: (worker: WorkerProcess) => Omit<PrimaryProcedures, 'ready'>;
}

/** One worker process, from fork to exit, as the primary sees it. */
export class WorkerProcess {
  readonly startedAtMs = performance.now();
  readonly number: number;
  readonly pid: number | undefined;
  /** Resolves with the way the process ended: `was killed by SIGKILL`, `exited with 1`. Never rejects. */
  readonly ended: Promise<string>;
  /** Resolves when the worker can be called, or has exited. Never rejects. */
  readonly ready: Promise<unknown>;
  isAlive = true;
  /** Why the primary killed the process, phrased like `ended`; null if it did not. */
  private killReason: string | null = null;
  private heartbeat: NodeJS.Timeout | undefined;
  private readonly worker: Worker;
  private readonly channel: RpcChannel<WorkerProcedures, PrimaryProcedures>;
  readonly call: RpcChannel<WorkerProcedures, PrimaryProcedures>['call'];

  constructor({ program, number, procedures }: WorkerProcessOptions) {
    this.number = number;
    // Advanced serialization keeps Date objects and undefined.
    cluster.setupPrimary({ exec: program, args: [], serialization: 'advanced' });
    const worker = cluster.fork();
    this.worker = worker;
    this.pid = worker.process.pid;
    let listening = (): void => undefined;
    const ready = new Promise<void>((resolve) => (listening = resolve));
    this.channel = new RpcChannel<WorkerProcedures, PrimaryProcedures>(
      {
        send(message, sent) {
          if (worker.isConnected()) worker.send(message as object, sent);
          else sent(new Error('not connected'));
        },
        onMessage: (listener) => void worker.on('message', listener),
      },
      { ready: () => listening(), ...procedures(this) },
      ({ message }) => this.killFor(`broke the protocol (${message})`),
    );
    this.call = this.channel.call;
    this.ended = new Promise((resolve) => {
      const end = (how: string): void => {
        this.isAlive = false;
        clearInterval(this.heartbeat);
        const what = this.killReason === null ? how : `${this.killReason} and ${how}`;
        this.channel.end(new BackworksError('BW_SERVER_WORKER', `worker ${number} ${what}`));
        resolve(what);
      };
      worker.once('error', ({ message }: Error) => {
        // A process that could not be started emits no `exit` event.
        if (worker.process.pid === undefined) end(`could not be started: ${message}`);
      });
      worker.once('exit', (code: number | null, signal: string | null) =>
        end(signal === null ? `exited with ${code}` : `was killed by ${signal}`),
      );
    });
    this.ready = Promise.race([ready, this.ended]);
  }

  /** Makes the worker drain and shut its plugins down. Resolves when the process has exited. Never rejects. */
  async stop(): Promise<void> {
    this.watch();
    await this.ready;
    await this.call('stop').catch(() => undefined);
    if (this.worker.isConnected()) this.worker.process.disconnect();
    const limit = setTimeout(() => this.kill(), EXIT_LIMIT_MS);
    await this.ended;
    clearTimeout(limit);
  }

  /** Starts the heartbeat: a worker that stops answering has a blocked event loop and is killed. Idempotent. */
  watch(): void {
    if (this.heartbeat !== undefined || !this.isAlive) return;
    let missed = 0;
    // Missed heartbeats are counted instead of time, because the clock runs on while this process is suspended.
    this.heartbeat = setInterval(() => {
      if (missed === MISSED_HEARTBEATS_MAX)
        return this.killFor(`did not answer for ${(HEARTBEAT_MS * MISSED_HEARTBEATS_MAX) / 1000} s`);
      missed += 1;
      this.call('heartbeat').then(
        () => (missed = 0),
        () => undefined,
      );
    }, HEARTBEAT_MS).unref();
  }

  private killFor(fault: string): void {
    this.killReason ??= fault;
    this.kill();
  }

  kill(): void {
    if (this.isAlive) this.worker.process.kill('SIGKILL');
  }
}
