import { BackworksError, PluginFailure } from '../errors.js';
import type {
  CallContext,
  Hook,
  LibraryDescription,
  NativePlugin,
  NativePluginOptions,
  NativeProcess,
  NativeReply,
} from './native-plugin.js';
import { residentBytes } from './process-memory.js';
import { RestartDelay } from './restart-delay.js';
import { findRunner } from './runner-binary.js';
import { fitsFrame, RunnerProcess } from './runner-process.js';

const MEMORY_SAMPLE_INTERVAL_MS = 1000;

/** A call that waits until a process is ready. */
interface WaitingCall {
  start(process: RunnerProcess): void;
  reject(error: BackworksError): void;
}

/**
 * A plugin in processes of its own: `instances` of them work, one more stands by with the library
 * loaded but not initialized. When a worker ends, the spare is initialized and takes its place; the
 * next spare starts after a delay that doubles with every failure.
 */
export class IsolatedPlugin implements NativePlugin {
  description!: LibraryDescription;
  private readonly workers = new Set<RunnerProcess>();
  private readonly starting = new Set<RunnerProcess>();
  private readonly draining = new Set<RunnerProcess>();
  private spare: RunnerProcess | null = null;
  private waiting: WaitingCall[] = [];
  private readonly delay = new RestartDelay();
  private restartTimer: NodeJS.Timeout | null = null;
  private memoryTimer: NodeJS.Timeout | null = null;
  private lastFailure: PluginFailure | null = null;
  private closed = false;

  private constructor(
    private readonly options: NativePluginOptions,
    private readonly runner: string,
  ) {}

  /**
   * Starts the processes, loads the library and initializes it.
   * @throws PluginFailure when any of that fails; nothing is left running.
   */
  static async open(options: NativePluginOptions): Promise<IsolatedPlugin> {
    const plugin = new IsolatedPlugin(options, findRunner());
    try {
      const starts = Array.from({ length: options.instances }, () => plugin.startWorker());
      await Promise.all(starts);
    } catch (error) {
      await plugin.close();
      throw error;
    }
    void plugin.startSpare();
    plugin.watchMemory();
    return plugin;
  }

  call(hook: Hook, args: readonly string[], context: CallContext): Promise<NativeReply> {
    if (!fitsFrame(args)) {
      const message = `the request is too large to hand to plugin ${this.options.name}`;
      return Promise.reject(new BackworksError('BW_REQUEST_BODY_TOO_LARGE', message));
    }
    const process = this.leastLoaded();
    return process === null
      ? this.whenReady(context, (ready) => this.callOn(ready, hook, args, context))
      : this.callOn(process, hook, args, context);
  }

  healthCheck(context: CallContext): Promise<{ status: number; text: string }> {
    const process = this.leastLoaded();
    if (process === null) return Promise.reject(this.unavailable());
    context.stop = () => process.kill({ kind: 'deadline' });
    return process.healthCheck();
  }

  processes(): NativeProcess[] {
    const list = (processes: Iterable<RunnerProcess>, state: NativeProcess['state']): NativeProcess[] =>
      [...processes].map(({ pid, startedAt, answered }) => ({ pid, state, startedAt, calls: answered }));
    return [
      ...list(this.workers, 'ready'),
      ...list(this.starting, 'starting'),
      ...list(this.draining, 'draining'),
      ...list(this.spare ? [this.spare] : [], 'spare'),
    ];
  }

  async close(): Promise<void> {
    this.closed = true;
    if (this.restartTimer) clearTimeout(this.restartTimer);
    if (this.memoryTimer) clearInterval(this.memoryTimer);
    for (const call of this.waiting.splice(0)) call.reject(this.unavailable());
    for (const process of this.starting) process.kill();
    this.spare?.kill();
    this.spare = null;
    await Promise.all([...this.workers, ...this.draining].map((process) => process.close()));
    this.workers.clear();
  }

  private callOn(
    process: RunnerProcess,
    hook: Hook,
    args: readonly string[],
    context: CallContext,
  ): Promise<NativeReply> {
    context.stop = (reason) => {
      if (reason === 'deadline') process.kill({ kind: 'deadline' });
    };
    const { recycleCalls } = this.options;
    if (recycleCalls > 0 && process.answered + process.load >= recycleCalls) this.recycle(process);
    return process.call(hook, args, context.deadlineAtMs - performance.now());
  }

  private leastLoaded(): RunnerProcess | null {
    let best: RunnerProcess | null = null;
    for (const worker of this.workers) {
      if (worker.usable && (best === null || worker.load < best.load)) best = worker;
    }
    return best;
  }

  /** Waits for a process; a call whose deadline lies before the next start fails at once. */
  private whenReady(
    context: CallContext,
    run: (process: RunnerProcess) => Promise<NativeReply>,
  ): Promise<NativeReply> {
    if (this.closed || performance.now() + this.delay.remainingMs() > context.deadlineAtMs) {
      return Promise.reject(this.unavailable());
    }
    return new Promise((resolve, reject) => {
      const call: WaitingCall = { start: (process) => run(process).then(resolve, reject), reject };
      this.waiting.push(call);
      context.stop = () => {
        this.waiting = this.waiting.filter((other) => other !== call);
      };
    });
  }

  private async startWorker(): Promise<void> {
    const process = this.spare?.usable ? this.spare : this.spawn();
    const loaded = process === this.spare;
    this.spare = loaded ? null : this.spare;
    this.starting.add(process);
    const timer = setTimeout(() => process.kill({ kind: 'deadline' }), this.options.initializeTimeoutMs);
    try {
      if (!loaded) this.description = await process.loadLibrary();
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
    for (const call of this.waiting.splice(0)) call.start(this.leastLoaded() ?? process);
    if (this.workers.size >= this.options.instances && this.lastFailure !== null) {
      this.lastFailure = null;
      this.options.events.recovered();
    }
  }

  private async startSpare(): Promise<void> {
    if (this.closed || this.spare !== null) return;
    let process: RunnerProcess | undefined;
    let timer: NodeJS.Timeout | undefined;
    try {
      process = this.spawn();
      this.spare = process;
      timer = setTimeout(() => process?.kill({ kind: 'deadline' }), this.options.initializeTimeoutMs);
      await process.loadLibrary();
    } catch {
      // A spare that fails to load is replaced when it is needed; the failure shows itself then.
      if (this.spare === process) this.spare = null;
      process?.kill();
    } finally {
      clearTimeout(timer);
    }
  }

  private spawn(): RunnerProcess {
    const process: RunnerProcess = new RunnerProcess(this.runner, this.options, (failure) =>
      this.onEnded(process, failure),
    );
    return process;
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
    void this.replace();
  }

  /** Puts the spare to work at once if there is one, and starts the next process after the delay. */
  private async replace(): Promise<void> {
    if (this.spare?.usable) {
      try {
        await this.startWorker();
        this.schedule(() => void this.startSpare());
        return;
      } catch (error) {
        this.startFailed(error);
      }
    }
    this.schedule(() => {
      this.startWorker().then(
        () => this.startSpare(),
        (error: unknown) => {
          this.startFailed(error);
          void this.replace();
        },
      );
    });
  }

  private schedule(start: () => void): void {
    if (this.closed) return;
    const timer = setTimeout(start, this.delay.remainingMs());
    timer.unref();
    this.restartTimer = timer;
  }

  private startFailed(error: unknown): void {
    if (this.closed) return;
    this.delay.failed(0);
    if (error instanceof PluginFailure) {
      this.lastFailure = error;
      this.options.events.failed(error);
    }
    for (const call of this.waiting.splice(0)) call.reject(this.unavailable());
  }

  /** Replaces a process that has done its share: a new one takes over before the old one drains. */
  private recycle(process: RunnerProcess): void {
    if (this.closed || this.starting.size > 0 || !this.workers.has(process)) return;
    this.startWorker().then(
      () => {
        this.workers.delete(process);
        this.draining.add(process);
        void process.close();
        void this.startSpare();
      },
      (error: unknown) => this.startFailed(error),
    );
  }

  private watchMemory(): void {
    const { recycleMemoryBytes } = this.options;
    if (recycleMemoryBytes === 0) return;
    this.memoryTimer = setInterval(() => {
      for (const worker of this.workers) {
        void residentBytes(worker.pid).then((bytes) => {
          if (bytes !== null && bytes >= recycleMemoryBytes) this.recycle(worker);
        });
      }
    }, MEMORY_SAMPLE_INTERVAL_MS);
    this.memoryTimer.unref();
  }

  private unavailable(): PluginFailure {
    const { name } = this.options;
    const why = this.lastFailure === null ? '' : `: ${this.lastFailure.message}`;
    return new PluginFailure('BW_PLUGIN_UNAVAILABLE', `plugin ${name} is not running${why}`, {
      plugin: name,
      phase: 'idle',
      hint: 'it is started again by itself',
      cause: this.lastFailure ?? undefined,
    });
  }
}
