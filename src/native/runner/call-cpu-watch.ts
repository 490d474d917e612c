import type { PluginPhase } from '../../errors.js';
import type { KillReason } from '../process/exit-cause.js';
import { processorTimeMs } from '../process/limits/process-clock.js';
import { threadTimeMs } from '../process/limits/process-usage.js';

const TICK_MS = 100;
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
  /** Those that run; none when nobody knows. */
  readonly running: readonly {
    readonly thread: number;
    readonly call: { readonly id: number; readonly phase: PluginPhase };
  }[];
}

const watched = new Set<CallCpuWatch>();
let timer: NodeJS.Timeout | null = null;

/**
 * Watches how much processor time a call of one process uses: all threads of the process where calls take
 * turns, else the thread that runs it. One timer, which runs only while there are calls, looks at all
 * processes: a call that is there at two of its ticks is measured from the first, so that one may use up
 * to a tick more than its limit, never less.
 */
export class CallCpuWatch {
  private isWatched = false;
  /** Of each call that was there at the last tick, the time its process or thread had used at the first. */
  private baseMs = new Map<string, number>();

  /** @param options asked at every tick; `callCpuMs` 0: any amount */
  constructor(
    private readonly pid: number,
    private readonly calls: CallsUnderWay,
    private readonly options: { readonly callCpuMs: number; readonly concurrency: number },
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
    const before = this.baseMs;
    this.baseMs = new Map();
    for (const { thread, call } of this.calls.running) {
      if (!CALLS.has(call.phase)) continue;
      const cpuMs = this.options.concurrency > 1 ? threadTimeMs(this.pid, thread) : processorTimeMs(this.pid);
      if (cpuMs === null) continue;
      // The hooks of a batch have one number, and a limit each.
      const key = `${call.id} ${call.phase}`;
      const baseMs = before.get(key) ?? cpuMs;
      this.baseMs.set(key, baseMs);
      this.compare(call.id, cpuMs - baseMs);
    }
    return this.isWatched;
  }

  private compare(call: number, usedMs: number): void {
    const limitMs = this.options.callCpuMs;
    if (limitMs === 0 || usedMs <= limitMs) return;
    // Timers come before what lies in sockets: after a pause of the server, the answer may be there.
    setImmediate(() => {
      if (this.calls.running.some((running) => running.call.id === call))
        this.kill({ kind: 'cpu_time', usedMs, limitMs }, call);
    });
  }
}

function tick(): void {
  for (const watch of watched) if (!watch.look()) watched.delete(watch);
  if (watched.size > 0 || timer === null) return;
  clearInterval(timer);
  timer = null;
}
