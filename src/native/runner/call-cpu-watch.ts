import type { PluginPhase } from '../../errors.js';
import type { KillReason } from '../process/exit-cause.js';
import { processorTimeMs } from '../process/limits/process-clock.js';
import { isAnyThreadComputing, threadTimeMs } from '../process/limits/process-usage.js';

const TICK_MS = 100;
/** A process that gets less than this share of a core while it computes is short of processor time. */
const STARVED_SHARE = 0.1;
/** Processor time is not compared over less time than this. */
const COMPARED_MS_MIN = 20;
/** What requests and health checks ask of a plugin; the rest of its life has deadlines of its own. */
const CALLS: ReadonlySet<PluginPhase> = new Set([
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
export interface CallsUnderWay {
  /** Calls without an answer yet. */
  readonly load: number;
  readonly oldest: Call | undefined;
  /** Those that run, as the shared page says. */
  readonly running: readonly { readonly thread: number; readonly call: Call }[];
}

interface Options {
  readonly callCpuMs: number;
  readonly idleCpuPercent: number;
  readonly concurrency: number;
}

/** What the process had used when its oldest call was first seen as the oldest. */
interface Base {
  readonly key: string;
  readonly atMs: number;
  readonly cpuMs: number;
  readonly answered: number;
  /** The same of its first thread, read at the second look; null before that and when nobody knows. */
  firstThread: { readonly atMs: number; readonly cpuMs: number; readonly ownMs: number } | null;
}

const watched = new Set<CallCpuWatch>();
let timer: NodeJS.Timeout | null = null;

/**
 * Watches how much processor time the calls of one process use. The clock of the process is charged to the
 * call without an answer that is the oldest: both are facts that a plugin cannot write to. With threads
 * that is a bound for all calls together, and each call is also held to the limit by the thread on which
 * it runs, as the shared page says.
 *
 * One timer, which runs only while there are calls, looks at all processes: a call that is there at two of
 * its ticks is measured from the first, so that it may use up to a tick more than its limit, never less.
 */
export class CallCpuWatch {
  private isWatched = false;
  private base: Base | null = null;
  /** Of each call that was there at the last tick, the time its thread had used at the first. */
  private threadBaseMs = new Map<string, number>();

  /**
   * @param options asked at every tick; `callCpuMs` 0: any amount
   * @param answered calls answered so far
   */
  constructor(
    private readonly pid: number,
    private readonly calls: CallsUnderWay,
    private readonly answered: () => number,
    private readonly options: Options,
    private readonly kill: (reason: KillReason, call: number) => void,
  ) {}

  /** To be told of every call; costs nothing while one is under way. */
  begin(): void {
    if (this.isWatched) return;
    this.isWatched = true;
    watched.add(this);
    timer ??= setInterval(tick, TICK_MS).unref();
  }

  /** Whether there are still calls to look at. */
  look(): boolean {
    this.isWatched = this.calls.load > 0;
    this.lookAtOldest();
    if (this.options.concurrency > 1 && this.options.callCpuMs > 0) this.lookAtThreads();
    return this.isWatched;
  }

  /**
   * Whether the process has threads that would run and hardly gets to: then it may not have begun a call
   * although it has had nothing else to do. One that computes or sleeps has begun it, whatever it says.
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
    return oldest === undefined || !CALLS.has(oldest.phase) ? null : keyOf(oldest);
  }

  private lookAtOldest(): void {
    const key = this.oldestKey();
    const cpuMs = key === null ? null : processorTimeMs(this.pid);
    if (key === null || cpuMs === null) this.base = null;
    else if (this.base?.key !== key)
      this.base = { key, atMs: performance.now(), cpuMs, answered: this.answered(), firstThread: null };
    else this.judge(this.base, cpuMs);
  }

  private judge(base: Base, cpuMs: number): void {
    const { callCpuMs: limitMs } = this.options;
    if (limitMs === 0) return;
    const usedMs = cpuMs - base.cpuMs - this.backgroundMs(base, cpuMs);
    const calls = this.callsSince(base);
    if (usedMs > limitMs * calls)
      this.killUnlessAnswered(base.key, { kind: 'cpu_time', usedMs, limitMs, calls });
  }

  /** How many calls may have used processor time since then. */
  private callsSince(base: Base): number {
    return this.options.concurrency === 1 ? 1 : this.calls.load + this.answered() - base.answered;
  }

  /**
   * What the plugin's own threads used without going beyond `limits.idle_cpu`, a garbage collector for
   * example: a call that waits for long is not charged with it. Looked at for long calls only.
   */
  private backgroundMs(base: Base, cpuMs: number): number {
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
    // Timers come before what lies in sockets: after a pause of the server, the answer may be there.
    setImmediate(() => {
      const { oldest } = this.calls;
      if (oldest !== undefined && this.oldestKey() === key) this.kill(reason, oldest.id);
    });
  }

  private lookAtThreads(): void {
    const before = this.threadBaseMs;
    this.threadBaseMs = new Map();
    for (const { thread, call } of this.calls.running) {
      if (!CALLS.has(call.phase)) continue;
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

/** The hooks of a batch have one number, and a limit each. */
function keyOf({ id, phase }: Call): string {
  return `${id} ${phase}`;
}

function tick(): void {
  for (const watch of watched) if (!watch.look()) watched.delete(watch);
  if (watched.size > 0 || timer === null) return;
  clearInterval(timer);
  timer = null;
}
