import type { PluginPhase } from '../../errors.js';
import type { KillReason } from '../exit-cause.js';
import { processorTimeMs } from './process-clock.js';

const TICK_MS = 100;
/** Nothing was seen yet. */
const NO_CALL = -1;
/** What requests and health checks ask of a plugin; the rest of its life has deadlines of its own. */
const CALLS: ReadonlySet<PluginPhase> = new Set([
  'before_request',
  'after_response',
  'process_endpoint',
  'call',
  'health_check',
]);

/** The calls of one process. */
export interface CallsUnderWay {
  /** Calls without an answer yet. */
  readonly load: number;
  /** The one that runs; null when none does or nobody knows. */
  readonly running: { readonly id: number; readonly phase: PluginPhase } | null;
}

const watched = new Set<CallCpuWatch>();
let timer: NodeJS.Timeout | null = null;

/**
 * Watches how much processor time a call of one process uses. One timer, which runs only while there
 * are calls, looks at all processes: a call that is there at two of its ticks is measured from the
 * first, so that one may use up to a tick more than its limit, never less.
 */
export class CallCpuWatch {
  private isWatched = false;
  private call = NO_CALL;
  private baseMs = 0;

  /** @param options asked at every tick; `callCpuMs` 0: any amount */
  constructor(
    private readonly pid: number,
    private readonly calls: CallsUnderWay,
    private readonly options: { readonly callCpuMs: number },
    private readonly kill: (reason: KillReason) => void,
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
    const call = this.isWatched ? this.runningCall() : NO_CALL;
    const cpuMs = call === NO_CALL ? null : processorTimeMs(this.pid);
    if (cpuMs === null) this.call = NO_CALL;
    else if (this.call === call) this.compare(call, cpuMs - this.baseMs);
    else {
      this.call = call;
      this.baseMs = cpuMs;
    }
    return this.isWatched;
  }

  private compare(call: number, usedMs: number): void {
    const limitMs = this.options.callCpuMs;
    if (limitMs === 0 || usedMs <= limitMs) return;
    // Timers come before what lies in sockets: after a pause of the server, the answer may be there.
    setImmediate(() => {
      if (this.runningCall() === call) this.kill({ kind: 'cpu_time', usedMs, limitMs });
    });
  }

  private runningCall(): number {
    const { running } = this.calls;
    return running !== null && CALLS.has(running.phase) ? running.id : NO_CALL;
  }
}

function tick(): void {
  for (const watch of watched) if (!watch.look()) watched.delete(watch);
  if (watched.size > 0 || timer === null) return;
  clearInterval(timer);
  timer = null;
}
