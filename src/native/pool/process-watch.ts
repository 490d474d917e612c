import type { NativePluginOptions, ProcessUsage } from '../plugin.js';
import { processorTimeMs } from '../process/limits/process-clock.js';
import { processUsage, threadTimeMs } from '../process/limits/process-usage.js';
import type { RunnerProcess } from '../runner/runner-process.js';
import { BUSY_SAMPLES_MAX, IdleWatch } from './idle-watch.js';

const SAMPLE_INTERVAL_MS = 1000;

const watches = new Set<ProcessWatch>();
let timer: NodeJS.Timeout | null = null;

/** What happens to a process that exceeds a limit. */
export interface ProcessActions {
  /** Another process takes over, then this one ends. */
  replace(process: RunnerProcess): void;
  /** Withholds calls from the process for a moment. */
  hold(process: RunnerProcess): void;
}

/**
 * Samples the processes of one plugin every second. A process that exceeds its memory or thread limit is
 * killed. A process that passed `recycle.memory`, or computes outside its calls, is replaced. The spare is
 * sampled like the others; its end is not a failure of the plugin, so it is logged here. One timer serves all
 * plugins.
 */
export class ProcessWatch {
  private readonly idle = new WeakMap<RunnerProcess, IdleWatch>();
  /** Processes that have reached their thread limit; each is reported once. */
  private readonly atThreadLimit = new WeakSet<RunnerProcess>();
  private readonly usage = new WeakMap<RunnerProcess, ProcessUsage>();

  constructor(
    private readonly options: NativePluginOptions,
    private readonly processes: () => Iterable<RunnerProcess>,
    private readonly actions: ProcessActions,
  ) {
    watches.add(this);
    timer ??= setInterval(() => watches.forEach((watch) => watch.sample()), SAMPLE_INTERVAL_MS).unref();
  }

  /** The last sample of a process; null before the first. */
  usageOf(process: RunnerProcess): ProcessUsage | null {
    return this.usage.get(process) ?? null;
  }

  close(): void {
    watches.delete(this);
    if (watches.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  }

  private sample(): void {
    for (const process of this.processes()) {
      const known = this.usage.get(process);
      const cpuMs = known === undefined ? null : processorTimeMs(process.pid);
      // A process that used no processor time touched no memory, so the last sample still holds.
      if (known !== undefined && cpuMs !== null && cpuMs === known.cpuMs) this.judge(process, known);
      else void processUsage(process.pid).then((usage) => this.judge(process, usage));
    }
  }

  private judge(process: RunnerProcess, usage: ProcessUsage): void {
    if (!process.usable) return;
    this.usage.set(process, usage);
    const { sandbox, recycleMemoryBytes } = this.options;
    this.warnOfThreads(process, usage.threads);
    // What cannot be sampled was reported as missing when the process started.
    const residentBytes = usage.residentBytes ?? 0;
    if (sandbox.memoryBytes > 0 && residentBytes > sandbox.memoryBytes) {
      if (isSpare(process)) this.warn(process, `killed: it held ${residentBytes} bytes`);
      process.kill({ kind: 'memory', bytes: residentBytes });
    } else if (sandbox.threads > 0 && (usage.threads ?? 0) > sandbox.threads) {
      const { threads: limit } = sandbox;
      const threads = usage.threads ?? 0;
      if (isSpare(process)) this.warn(process, `killed: it had ${threads} threads`);
      process.kill({ kind: 'threads', threads, limit });
    } else if (recycleMemoryBytes > 0 && !isSpare(process) && residentBytes >= recycleMemoryBytes) {
      this.actions.replace(process);
    } else this.judgeIdle(process);
  }

  private judgeIdle(process: RunnerProcess): void {
    const reading = process.pauses.read();
    if (reading === null) return;
    const verdict = this.idleWatch(process).judge(reading, this.options.idleCpuPercent);
    if (verdict === 'hold' && !isSpare(process)) this.actions.hold(process);
    if (verdict === 'replace') {
      const end = isSpare(process) ? 'ended' : 'replaced';
      const used = `used more than ${this.options.idleCpuPercent} % of a core`;
      this.warn(process, `${end}: it ${used} between calls for ${BUSY_SAMPLES_MAX} s`);
      this.actions.replace(process);
    }
  }

  /** Warns once: the kernel refuses further threads, and the plugin may not say why it fails. */
  private warnOfThreads(process: RunnerProcess, threads: number | null): void {
    if (threads === null || threads !== this.options.sandbox.threads || this.atThreadLimit.has(process))
      return;
    this.atThreadLimit.add(process);
    const { name, events } = this.options;
    const text = `plugin ${name} has reached limits.threads, so the system refuses further threads`;
    events.log({ source: 'log', level: 'warn', text, pid: process.pid });
  }

  private warn(process: RunnerProcess, what: string): void {
    const { name, events } = this.options;
    const text = `plugin ${name}: ${isSpare(process) ? 'its spare process was ' : ''}${what}`;
    events.log({ source: 'log', level: 'warn', text, pid: process.pid });
  }

  private idleWatch(process: RunnerProcess): IdleWatch {
    const known = this.idle.get(process);
    if (known !== undefined) return known;
    // With several call threads, it is unknown which threads run calls.
    const created = new IdleWatch(() =>
      this.options.concurrency > 1 ? 0 : threadTimeMs(process.pid, process.pid),
    );
    this.idle.set(process, created);
    return created;
  }
}

/** A spare's library is loaded but not initialized; its constructors may have started threads. */
function isSpare(process: RunnerProcess): boolean {
  return process.configJson === null;
}
