import type { PluginFailure } from '../../errors.js';
import type { NativePluginOptions } from '../plugin.js';
import { processGone } from '../failures.js';
import { openVerified } from '../process/verified-library.js';
import { RunnerProcess } from '../runner/runner-process.js';
import { SharedPage } from '../protocol/shared-page.js';
import { spawnProcess } from '../process/spawn.js';
import { StartDeadline } from './start-deadline.js';

/** The processes of one plugin that are starting. */
export class ProcessStarts {
  /** Processes that will become workers. */
  readonly workers = new Set<RunnerProcess>();
  private readonly spawning = new Set<Promise<RunnerProcess>>();
  private closed = false;

  /** @param onEnded called when a process has ended; the failure is null when it ended as requested */
  constructor(
    private readonly runner: string,
    private readonly options: NativePluginOptions,
    private readonly onEnded: (process: RunnerProcess, failure: PluginFailure | null) => void,
  ) {}

  /**
   * Starts a process and sends nothing to it yet.
   * @throws BackworksError BW_RUNNER_START when it cannot be created. @throws PluginFailure once closed
   */
  spawn(): Promise<RunnerProcess> {
    const spawning = this.spawnUnlessClosed().finally(() => this.spawning.delete(spawning));
    this.spawning.add(spawning);
    return spawning;
  }

  /** Runs a step of a worker's start. If the step fails or takes too long, the process is killed. */
  async step(process: RunnerProcess, work: (deadline: StartDeadline) => Promise<void>): Promise<void> {
    this.workers.add(process);
    const deadline = new StartDeadline(process, this.options.initializeTimeoutMs);
    try {
      await work(deadline);
    } catch (error) {
      this.workers.delete(process);
      process.kill();
      throw error;
    } finally {
      deadline.clear();
    }
  }

  /** Starts no further process, and kills processes that are not workers yet. */
  async close(): Promise<void> {
    this.closed = true;
    const unfinished = [...this.workers];
    for (const process of unfinished) process.kill();
    await Promise.all(unfinished.map((process) => process.close()));
    await Promise.allSettled(this.spawning);
  }

  private async spawnUnlessClosed(): Promise<RunnerProcess> {
    if (this.closed) throw this.alreadyClosed();
    const process = await this.create();
    if (!this.closed) return process;
    process.kill();
    await process.close();
    throw this.alreadyClosed();
  }

  private async create(): Promise<RunnerProcess> {
    const { options } = this;
    const library = await openVerified(options);
    const shared = new SharedPage();
    try {
      const command = [...(options.runUnder ?? []), this.runner, '--parent', String(process.pid)];
      const [program = this.runner, ...args] = command;
      const child = await spawnProcess({
        program,
        args,
        environment: options.environment,
        sharedDescriptor: shared.descriptor,
        libraryDescriptor: library.descriptor,
        memoryBytes: options.sandbox.memoryBytes,
        threads: options.sandbox.threads,
      });
      const created: RunnerProcess = new RunnerProcess(child, shared, options, library.from, (failure) =>
        this.onEnded(created, failure),
      );
      return created;
    } catch (error) {
      shared.close();
      throw error;
    } finally {
      await library.close();
    }
  }

  private alreadyClosed(): PluginFailure {
    return processGone(this.options.name, 'load');
  }
}
