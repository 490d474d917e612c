import cluster, { type Worker } from 'node:cluster';
import { BackworksError } from '../errors.js';
import { RpcChannel } from './rpc-channel.js';
import type { PrimaryProcedures, WorkerProcedures } from './worker-procedures.js';

/** How long a worker that has stopped may take to end. */
const EXIT_LIMIT_MS = 5000;
/** Missed heartbeats (30 s in total) after which the primary treats a worker as hung. */
const PULSE_MS = 5000;
const UNANSWERED_MAX = 6;

export interface WorkerProcessOptions {
  /** Path of the program, which calls serveWorker(). */
  readonly program: string;
  readonly number: number;
  /** What it may ask of the primary. */
  readonly procedures: (worker: WorkerProcess) => Omit<PrimaryProcedures, 'ready'>;
}

/** One worker, from fork to end, as its primary sees it. */
export class WorkerProcess {
  readonly startedAtMs = performance.now();
  readonly number: number;
  readonly pid: number | undefined;
  /** Resolves with how it ended: `ended by SIGKILL`, `exited with 1`. */
  readonly ended: Promise<string>;
  /** Resolves when it can be called, or has ended. */
  readonly ready: Promise<unknown>;
  isAlive = true;
  /** Why the primary kills it, in the words of `ended`; null when it does not. */
  private fault: string | null = null;
  private pulse: NodeJS.Timeout | undefined;
  private readonly worker: Worker;
  private readonly channel: RpcChannel<WorkerProcedures, PrimaryProcedures>;
  readonly call: RpcChannel<WorkerProcedures, PrimaryProcedures>['call'];

  constructor({ program, number, procedures }: WorkerProcessOptions) {
    this.number = number;
    // Dates and undefined arrive as what they are.
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
        clearInterval(this.pulse);
        const what = this.fault === null ? how : `${this.fault} and ${how}`;
        this.channel.end(new BackworksError('BW_SERVER_WORKER', `worker ${number} ${what}`));
        resolve(what);
      };
      worker.once('error', ({ message }: Error) => {
        // A worker that could not be started has no exit.
        if (worker.process.pid === undefined) end(`could not be started: ${message}`);
      });
      worker.once('exit', (code: number | null, signal: string | null) =>
        end(signal === null ? `exited with ${code}` : `was ended by ${signal}`),
      );
    });
    this.ready = Promise.race([ready, this.ended]);
  }

  /** Has it drain and shut its plugins down; resolves when the process has ended. Never rejects. */
  async stop(): Promise<void> {
    this.watch();
    await this.ready;
    await this.call('stop').catch(() => undefined);
    if (this.worker.isConnected()) this.worker.process.disconnect();
    const limit = setTimeout(() => this.kill(), EXIT_LIMIT_MS);
    await this.ended;
    clearTimeout(limit);
  }

  /** From now on ends it when it does not answer any more: its event loop is blocked. Idempotent. */
  watch(): void {
    if (this.pulse !== undefined || !this.isAlive) return;
    let unanswered = 0;
    // Counted, because time passes also while this process itself is stopped.
    this.pulse = setInterval(() => {
      if (unanswered === UNANSWERED_MAX)
        return this.killFor(`did not answer for ${(PULSE_MS * UNANSWERED_MAX) / 1000} s`);
      unanswered += 1;
      this.call('pulse').then(
        () => (unanswered = 0),
        () => undefined,
      );
    }, PULSE_MS).unref();
  }

  private killFor(fault: string): void {
    this.fault ??= fault;
    this.kill();
  }

  kill(): void {
    if (this.isAlive) this.worker.process.kill('SIGKILL');
  }
}
