import type { PluginPhase } from '../../errors.js';
import type { KillReason } from '../process/exit-cause.js';
import { processorTimeMs } from '../process/limits/process-clock.js';
import { isAnyThreadComputing, threadTimeMs } from '../process/limits/process-usage.js';

const TICK_MS = 100;
/** A process that gets less than this share of a core while it computes is short of processor time. */
const STARVED_SHARE = 0.1;
/** Shortest time over which processor time is compared. */
const COMPARED_MS_MIN = 20;
/** Functions that requests and health checks call. Other functions have their own deadlines. */
const LIMITED_PHASES: ReadonlySet<PluginPhase> = new Set([
  'before_request',
  'after_response',
  'process_endpoint',
  'call',
  'health_check',
]);

interface Call {
  readonly id: number;
  readonly phase: PluginPhase;
}

/** The calls of one process. */
export interface CallsInFlight {
  /** Calls without an answer yet. */
  readonly load: number;
  readonly oldest: Call | undefined;
  /** Calls that run, according to the shared page. */
  readonly running: readonly { readonly thread: number; readonly call: Call }[];
}

interface Options {
  readonly callCpuMs: number;
  readonly idleCpuPercent: number;
  readonly concurrency: number;
}

/** Usage of the process when its present oldest call was first seen as the oldest. */
interface Baseline {
  readonly key: string;
  readonly atMs: number;
  readonly cpuMs: number;
  readonly answered: number;
  /** Usage when the first thread was first read, at the second check; null before that or if unknown. */
  firstThread: { readonly atMs: number; readonly cpuMs: number; readonly ownMs: number } | null;
}

const watched = new Set<CallCpuWatch>();
let timer: NodeJS.Timeout | null = null;

/**
 * Limits the processor time of the calls of one process. The time of the process is charged to the oldest
 * call without an answer: a plugin can forge neither. With several call threads, this limits all calls
 * together. Each call is then also limited by the time of its own thread, which the shared page names.
 *
 * One timer, which runs only while calls are in flight, checks all processes. A call is measured from the
 * first tick that sees it, so it may use up to one tick more than its limit, never less.
 */
export class CallCpuWatch {
  private isWatched = false;
  private base: Baseline | null = null;
  /** Time that a call's thread had used at the call's first tick, for the calls of the last tick. */
  private threadBaseMs = new Map<string, number>();

  /**
   * @param options read at every tick; `callCpuMs` 0 means no limit
   * @param answered calls answered so far
   */
  constructor(
    private readonly pid: number,
    private readonly calls: CallsInFlight,
    private readonly answered: () => number,
    private readonly options: Options,
    private readonly kill: (reason: KillReason, call: number) => void,
  ) {}

  /** Must be called for every call. Costs nothing while another call is in flight. */
  begin(): void {
    if (this.isWatched) return;
    this.isWatched = true;
    watched.add(this);
    timer ??= setInterval(tick, TICK_MS).unref();
  }

  /** Checks the limits. Returns false when no call is in flight. */
  check(): boolean {
    this.isWatched = this.calls.load > 0;
    this.checkOldest();
    if (this.options.concurrency > 1 && this.options.callCpuMs > 0) this.checkThreads();
    return this.isWatched;
  }

  /**
   * Whether threads of the process are ready to run but get hardly any processor time. Such a process may
   * not have begun a call although it had nothing else to do. A process that computes or sleeps has begun
   * the call, whatever the shared page says.
   */
  isStarved(): boolean {
    if (!isAnyThreadComputing(this.pid)) return false;
    const { base } = this;
    const cpuMs = processorTimeMs(this.pid);
    if (base === null || cpuMs === null || base.key !== this.oldestKey()) return true;
    const passedMs = performance.now() - base.atMs;
    return passedMs < COMPARED_MS_MIN || cpuMs - base.cpuMs < STARVED_SHARE * passedMs;
  }

  private oldestKey(): string | null {
    const { oldest } = this.calls;
    return oldest === undefined || !LIMITED_PHASES.has(oldest.phase) ? null : keyOf(oldest);
  }

  private checkOldest(): void {
    const key = this.oldestKey();
    const cpuMs = key === null ? null : processorTimeMs(this.pid);
    if (key === null || cpuMs === null) this.base = null;
    else if (this.base?.key !== key)
      this.base = { key, atMs: performance.now(), cpuMs, answered: this.answered(), firstThread: null };
    else this.judge(this.base, cpuMs);
  }

  private judge(base: Baseline, cpuMs: number): void {
    const { callCpuMs: limitMs } = this.options;
    if (limitMs === 0) return;
    const usedMs = cpuMs - base.cpuMs - this.backgroundMs(base, cpuMs);
    const calls = this.callsSince(base);
    if (usedMs > limitMs * calls)
      this.killUnlessAnswered(base.key, { kind: 'cpu_time', usedMs, limitMs, calls });
  }

  /** How many calls may have used processor time since the baseline. */
  private callsSince(base: Baseline): number {
    return this.options.concurrency === 1 ? 1 : this.calls.load + this.answered() - base.answered;
  }

  /**
   * Time that the plugin's own threads, for example a garbage collector, used within `limits.idle_cpu`. A
   * long call is not charged with it.
   */
  private backgroundMs(base: Baseline, cpuMs: number): number {
    const atMs = performance.now();
    const share = this.options.idleCpuPercent / 100;
    if (this.options.concurrency > 1) return share * (atMs - base.atMs);
    const ownMs = threadTimeMs(this.pid, this.pid);
    if (ownMs === null) return 0;
    base.firstThread ??= { atMs, cpuMs, ownMs };
    const { firstThread: first } = base;
    const othersMs = cpuMs - first.cpuMs - (ownMs - first.ownMs);
    return Math.max(0, Math.min(othersMs, share * (atMs - first.atMs)));
  }

  private killUnlessAnswered(key: string, reason: KillReason): void {
    // Timers run before sockets are read: after a pause of the server, the answer may already have arrived.
    setImmediate(() => {
      const { oldest } = this.calls;
      if (oldest !== undefined && this.oldestKey() === key) this.kill(reason, oldest.id);
    });
  }

  private checkThreads(): void {
    const before = this.threadBaseMs;
    this.threadBaseMs = new Map();
    for (const { thread, call } of this.calls.running) {
      if (!LIMITED_PHASES.has(call.phase)) continue;
      const cpuMs = threadTimeMs(this.pid, thread);
      if (cpuMs === null) continue;
      const key = keyOf(call);
      const baseMs = before.get(key) ?? cpuMs;
      this.threadBaseMs.set(key, baseMs);
      this.compare(call.id, cpuMs - baseMs);
    }
  }

  private compare(call: number, usedMs: number): void {
    const { callCpuMs: limitMs } = this.options;
    if (usedMs <= limitMs) return;
    setImmediate(() => {
      if (this.calls.running.some((running) => running.call.id === call))
        this.kill({ kind: 'cpu_time', usedMs, limitMs, calls: 1 }, call);
    });
  }
}

/** The hooks of a batch share one id, but each hook has its own limit. */
function keyOf({ id, phase }: Call): string {
  return `${id} ${phase}`;
}

function tick(): void {
  for (const watch of watched) if (!watch.check()) watched.delete(watch);
  if (watched.size > 0 || timer === null) return;
  clearInterval(timer);
  timer = null;
}
