import { PluginFailure, toBackworksError } from '../../errors.js';
import type { LibraryDescription, NativePluginOptions, NativeProcess, SandboxReport } from '../plugin.js';
import { ProcessWatch } from './process-watch.js';
import { ProcessStarts } from './process-starts.js';
import { RestartDelay } from '../process/restart-delay.js';
import { initializeWithNewest } from './reconfigure.js';
import type { RunnerProcess } from '../runner/runner-process.js';
import { HeldProcesses } from './held-processes.js';
import { Spare } from './spare.js';
import { inTurn } from '../process/start-turn.js';

export interface WorkerPoolEvents {
  /** A worker is ready for calls. */
  ready(): void;
  /** No worker could be started; another attempt follows. */
  startFailed(): void;
}

/**
 * The processes of one plugin: `instances` workers, and a spare with the library loaded but not
 * initialized. When a worker ends, the spare is initialized and takes its place at once; the next
 * process starts after a delay that doubles with every failure.
 */
export class WorkerPool {
  description!: LibraryDescription;
  /** The state of the sandbox as the newest worker reported it; null before the first. */
  sandbox: SandboxReport | null = null;
  /** Why the pool is short of workers; null when it is complete. */
  lastFailure: PluginFailure | null = null;
  private readonly workers = new Set<RunnerProcess>();
  private readonly draining = new Set<RunnerProcess>();
  private readonly held = new HeldProcesses();
  private readonly starts: ProcessStarts;
  private readonly spare: Spare;
  private readonly delay: RestartDelay;
  private watch: ProcessWatch | null = null;
  private readonly timers = new Set<NodeJS.Timeout>();
  /** Starts of workers that are delayed or in progress. */
  private startsDue = 0;
  private restarting: Promise<void> | null = null;
  private closed = false;

  constructor(
    private readonly options: NativePluginOptions,
    runner: string,
    private readonly events: WorkerPoolEvents,
    /** Prepares the configuration when the library has been described. */
    private readonly prepare: (description: LibraryDescription) => Promise<void> | undefined,
  ) {
    this.delay = new RestartDelay(() => options.restart);
    this.starts = new ProcessStarts(runner, options, (...end) => this.onEnded(...end));
    this.spare = new Spare(options, () => this.starts.spawn());
  }

  /** Starts every worker. @throws PluginFailure when one fails; then close() must follow. */
  async open(): Promise<void> {
    await Promise.all(Array.from({ length: this.options.instances }, () => this.startWorker()));
    void this.spare.start();
    this.watch = new ProcessWatch(this.options, () => [...this.workers, ...this.spares], {
      replace: (process) => (process === this.spare.process ? process.kill() : this.recycle(process)),
      hold: (process) => this.held.hold(process, () => this.events.ready()),
    });
  }

  /** The ready worker with the fewest calls in flight, or null. */
  leastLoaded(): RunnerProcess | null {
    let best: RunnerProcess | null = null;
    for (const worker of this.workers) {
      if (!worker.usable || this.held.has(worker)) continue;
      if (best === null || worker.load < best.load) best = worker;
    }
    const { recycleCalls } = this.options;
    if (best !== null && recycleCalls > 0 && best.answered + best.load >= recycleCalls) this.recycle(best);
    return best;
  }

  workingProcesses(): readonly RunnerProcess[] {
    return [...this.workers].filter(({ usable }) => usable);
  }

  /** Milliseconds until the next start is allowed; Infinity once closed. */
  get nextStartInMs(): number {
    if (this.closed) return Infinity;
    return this.held.size > 0 ? 0 : this.delay.remainingMs();
  }

  processes(): NativeProcess[] {
    const list = (processes: Iterable<RunnerProcess>, state: NativeProcess['state']): NativeProcess[] =>
      [...processes].map((runner) => {
        const { pid, startedAt, answered: calls } = runner;
        return { pid, state, startedAt, calls, usage: this.watch?.usageOf(runner) ?? null };
      });
    return [
      ...list(this.workers, 'ready'),
      ...list(this.starts.workers, 'starting'),
      ...list(this.draining, 'draining'),
      ...list(this.spares, 'spare'),
    ];
  }

  /**
   * Replaces every worker on the operator's request: each new worker takes over before an old one drains.
   * Callers during a restart wait for that restart.
   * @throws PluginFailure when a new worker does not start; the remaining old workers continue.
   */
  restart(): Promise<void> {
    return (this.restarting ??= this.replaceAll().finally(() => (this.restarting = null)));
  }

  /** Shuts every worker down within its time limit. */
  async close(): Promise<void> {
    this.closed = true;
    this.watch?.close();
    for (const timer of this.timers) clearTimeout(timer);
    const processes = [...this.workers, ...this.draining, ...this.spares];
    this.spare.close();
    await Promise.all([this.starts.close(), ...processes.map((process) => process.close())]);
  }

  private get spares(): RunnerProcess[] {
    return this.spare.process === null ? [] : [this.spare.process];
  }

  /** Makes a worker from the spare, or from a new process. */
  private async startWorker(): Promise<void> {
    const process = this.spare.take() ?? (await inTurn(() => this.load()));
    await this.starts.step(process, async (deadline) => {
      await deadline.pausedFor(this.prepare(this.description));
      await initializeWithNewest(process, this.options);
    });
    this.starts.workers.delete(process);
    if (this.closed) {
      process.kill();
      return;
    }
    this.workers.add(process);
    this.sandbox = process.sandbox;
    this.events.ready();
    this.noteRecovery();
  }

  /** Starts a process and loads the library. */
  private async load(): Promise<RunnerProcess> {
    const process = await this.starts.spawn();
    await this.starts.step(process, async () => {
      this.description = await process.loadLibrary();
    });
    return process;
  }

  private onEnded(process: RunnerProcess, failure: PluginFailure | null): void {
    const worked = this.workers.delete(process);
    const drained = this.draining.delete(process);
    this.spare.ended(process);
    if (this.closed || !(worked || drained)) return;
    if (failure !== null) this.report(failure, Date.now() - process.startedAt.getTime());
    if (worked) this.replaceWorker();
    else this.noteRecovery();
  }

  private report(error: unknown, lifetimeMs: number): void {
    this.lastFailure = this.toFailure(error);
    this.delay.failed(lifetimeMs);
    this.options.events.failed(this.lastFailure);
  }

  private noteRecovery(): void {
    if (this.lastFailure === null || this.workers.size < this.options.instances) return;
    this.lastFailure = null;
    this.options.events.recovered();
  }

  /** Starts a worker if there are too few: at once from the spare, else after the delay. */
  private replaceWorker(): void {
    if (this.closed || this.workers.size + this.startsDue >= this.options.instances) return;
    this.startsDue += 1;
    const start = (): void => {
      // A restart may have filled the gap in the meantime.
      if (this.workers.size >= this.options.instances) {
        this.startsDue -= 1;
        return;
      }
      this.startWorker()
        .finally(() => (this.startsDue -= 1))
        .then(
          () => this.later(() => void this.spare.start()),
          (error: unknown) => this.startFailed(error),
        );
    };
    if (this.spare.usable) start();
    else this.later(start);
  }

  private startFailed(error: unknown): void {
    if (this.closed) return;
    this.report(error, 0);
    this.events.startFailed();
    this.replaceWorker();
  }

  /** Runs `start` as soon as the restart delay allows. */
  private later(start: () => void): void {
    if (this.closed) return;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      start();
    }, this.delay.remainingMs());
    this.timers.add(timer.unref());
  }

  private async replaceAll(): Promise<void> {
    const old = [...this.workers];
    for (let instance = 0; instance < this.options.instances && !this.closed; instance++) {
      this.startsDue += 1;
      try {
        await this.startWorker();
      } catch (error) {
        this.startsDue -= 1;
        if (!this.closed) this.replacementFailed(error);
        throw this.toFailure(error);
      }
      this.startsDue -= 1;
      this.retire(old[instance]);
    }
  }

  /** Replaces a worker that has reached its recycle limit: the new worker takes over before it drains. */
  private recycle(process: RunnerProcess): void {
    if (this.closed || this.startsDue > 0 || this.delay.remainingMs() > 0 || !this.workers.has(process))
      return;
    this.startsDue += 1;
    this.startWorker()
      .finally(() => (this.startsDue -= 1))
      .then(
        () => this.retire(process),
        (error: unknown) => {
          if (!this.closed) this.replacementFailed(error);
        },
      );
  }

  private retire(process: RunnerProcess | undefined): void {
    if (process !== undefined && this.workers.delete(process)) {
      this.draining.add(process);
      void process.retire();
    }
    void this.spare.start();
  }

  private replacementFailed(error: unknown): void {
    this.report(error, 0);
    this.replaceWorker();
    this.noteRecovery();
  }

  private toFailure(thrown: unknown): PluginFailure {
    if (thrown instanceof PluginFailure) return thrown;
    const { code, message, hint } = toBackworksError(thrown);
    return new PluginFailure(code, message, {
      plugin: this.options.name,
      phase: 'load',
      hint,
      cause: thrown,
    });
  }
}
