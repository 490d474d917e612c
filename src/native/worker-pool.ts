import { PluginFailure } from '../errors.js';
import type { LibraryDescription, NativePluginOptions, NativeProcess } from './native-plugin.js';
import { ProcessWatch } from './process-watch.js';
import { RestartDelay } from './restart-delay.js';
import { RunnerProcess } from './runner-process.js';
import type { SandboxReport } from './sandbox.js';

export interface WorkerPoolEvents {
  /** A worker is ready for calls. */
  ready(): void;
  /** No worker could be started; there will be another try. */
  startFailed(): void;
}

/**
 * The processes of one plugin: `instances` workers, and a spare with the library loaded but not
 * initialized. When a worker ends, the spare is initialized and takes its place at once; the next
 * process starts after a delay that doubles with every failure.
 */
export class WorkerPool {
  description!: LibraryDescription;
  /** Why the pool is short of workers; null when it is complete. */
  lastFailure: PluginFailure | null = null;
  private readonly workers = new Set<RunnerProcess>();
  private readonly starting = new Set<RunnerProcess>();
  private readonly draining = new Set<RunnerProcess>();
  private spare: RunnerProcess | null = null;
  private readonly delay: RestartDelay;
  private watch: ProcessWatch | null = null;
  private readonly timers = new Set<NodeJS.Timeout>();
  private closed = false;

  constructor(
    private readonly options: NativePluginOptions,
    private readonly runner: string,
    private readonly events: WorkerPoolEvents,
  ) {
    this.delay = new RestartDelay(options.restart.delayMs, options.restart.maxDelayMs);
  }

  /** Starts every worker. @throws PluginFailure when one fails; then close() must follow. */
  async open(): Promise<void> {
    await Promise.all(Array.from({ length: this.options.instances }, () => this.startWorker()));
    void this.startSpare();
    this.watch = new ProcessWatch(
      this.options,
      () => this.workers,
      (process) => this.recycle(process),
    );
  }

  /** The usable worker with the fewest calls; null when there is none. */
  leastLoaded(): RunnerProcess | null {
    let best: RunnerProcess | null = null;
    for (const worker of this.workers) {
      if (worker.usable && (best === null || worker.load < best.load)) best = worker;
    }
    const { recycleCalls } = this.options;
    if (best !== null && recycleCalls > 0 && best.answered + best.load >= recycleCalls) this.recycle(best);
    return best;
  }

  /** What holds of the sandbox, as the newest worker says. */
  get sandbox(): SandboxReport | null {
    return [...this.workers].at(-1)?.sandbox ?? null;
  }

  /** Milliseconds until the next start is allowed; Infinity once closed. */
  get nextStartInMs(): number {
    return this.closed ? Infinity : this.delay.remainingMs();
  }

  processes(): NativeProcess[] {
    const list = (processes: Iterable<RunnerProcess>, state: NativeProcess['state']): NativeProcess[] =>
      [...processes].map(({ pid, startedAt, answered }) => ({ pid, state, startedAt, calls: answered }));
    return [
      ...list(this.workers, 'ready'),
      ...list(this.starting, 'starting'),
      ...list(this.draining, 'draining'),
      ...list(this.spare === null ? [] : [this.spare], 'spare'),
    ];
  }

  /** Shuts every worker down within its time-box. */
  async close(): Promise<void> {
    this.closed = true;
    this.watch?.close();
    for (const timer of this.timers) clearTimeout(timer);
    for (const process of this.starting) process.kill();
    this.spare?.kill();
    await Promise.all([...this.workers, ...this.draining].map((process) => process.close()));
  }

  private spawn(): RunnerProcess {
    const process: RunnerProcess = new RunnerProcess(this.runner, this.options, (failure) =>
      this.onEnded(process, failure),
    );
    return process;
  }

  /** Makes a worker of the spare, or of a new process. */
  private async startWorker(): Promise<void> {
    const ready = this.spare?.usable === true ? this.spare : null;
    if (ready !== null) this.spare = null;
    const process = ready ?? this.spawn();
    this.starting.add(process);
    const timer = setTimeout(() => process.kill({ kind: 'deadline' }), this.options.initializeTimeoutMs);
    try {
      if (ready === null) this.description = await process.loadLibrary();
      await process.initialize();
    } catch (error) {
      process.kill();
      throw error;
    } finally {
      clearTimeout(timer);
      this.starting.delete(process);
    }
    if (this.closed) {
      process.kill();
      return;
    }
    this.workers.add(process);
    this.events.ready();
    if (this.workers.size >= this.options.instances && this.lastFailure !== null) {
      this.lastFailure = null;
      this.options.events.recovered();
    }
  }

  private async startSpare(): Promise<void> {
    if (this.closed || this.spare !== null) return;
    const process = this.spawn();
    this.spare = process;
    const timer = setTimeout(() => process.kill({ kind: 'deadline' }), this.options.initializeTimeoutMs);
    try {
      await process.loadLibrary();
    } catch {
      // A library that does not load any more shows itself when the next worker starts.
      if (this.spare === process) this.spare = null;
      process.kill();
    } finally {
      clearTimeout(timer);
    }
  }

  private onEnded(process: RunnerProcess, failure: PluginFailure | null): void {
    const worked = this.workers.delete(process);
    this.draining.delete(process);
    if (this.spare === process) this.spare = null;
    if (this.closed || !worked) return;
    if (failure !== null) {
      this.lastFailure = failure;
      this.delay.failed(Date.now() - process.startedAt.getTime());
      this.options.events.failed(failure);
    }
    this.replaceWorker();
  }

  private replaceWorker(): void {
    if (this.spare?.usable === true) {
      this.startWorker().then(
        () => this.later(() => this.keepSpare()),
        (error: unknown) => this.startFailed(error),
      );
    } else {
      this.later(() => {
        this.startWorker().then(
          () => this.keepSpare(),
          (error: unknown) => this.startFailed(error),
        );
      });
    }
  }

  private keepSpare(): void {
    void this.startSpare();
  }

  private startFailed(error: unknown): void {
    if (this.closed) return;
    this.delay.failed(0);
    if (error instanceof PluginFailure) {
      this.lastFailure = error;
      this.options.events.failed(error);
    }
    this.events.startFailed();
    this.replaceWorker();
  }

  /** Does something as soon as the restart delay allows it. */
  private later(act: () => void): void {
    if (this.closed) return;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      act();
    }, this.delay.remainingMs());
    this.timers.add(timer.unref());
  }

  /** Replaces a worker that has done its share: the new one takes over before the old one drains. */
  private recycle(process: RunnerProcess): void {
    if (this.closed || this.starting.size > 0 || !this.workers.has(process)) return;
    this.startWorker().then(
      () => {
        if (this.workers.delete(process)) this.draining.add(process);
        void process.close();
        this.keepSpare();
      },
      (error: unknown) => {
        if (error instanceof PluginFailure) this.options.events.failed(error);
      },
    );
  }
}
