import { toBackworksError } from '../errors.js';
import { type ProcessHoldings, processHoldings } from '../native/process/limits/process-usage.js';
import { createCaller } from '../profiling/documents.js';
import type { Child, Children } from './children.js';
import { askOne } from './function-checks.js';
import { steadyGrowth } from './memory-steps.js';
import { FailedInput, Finding } from './report.js';
import type { Target } from './target.js';

/** Calls before threads and descriptors are counted. */
const FIRST_CALLS = 8;
/** Calls between two measurements of memory. */
const STEP_CALLS = 500;
/** The same for a function whose calls take longer than this. */
const SLOW_STEP_CALLS = 50;
const SLOW_CALL_MS = 2;
/** Steps before the first measurement: buffers grow to their size, and allocators set up their arenas. */
const WARM_UP_STEPS = 2;
/** How often memory is compared with its limit in a step of the warm-up. */
const WARM_UP_PARTS = 10;
/** A pool of threads or connections may grow by so many. */
const HELD_MORE_MAX = 12;
/** A process that grows by this share of its limit in the warm-up is about to reach the limit. */
const LIMIT_SHARE = 0.5;
/** Steps after which memory that does not grow is believed. */
const STEPS_MIN = 8;
/** Steps after which memory that still grows is a leak. A bounded cache of 35,000 entries is full by then, and a collector has found its pace. */
const STEPS_MAX = 150;
/** Calls that are under way at the same time. */
const IN_FLIGHT = 32;
/** A plugin whose calls take so long that the steps need more time than this is measured with fewer steps. */
const TIME_MS_MAX = 10_000;
/**
 * Memory that grows is measured for longer, because a collector needs its number of calls to find its pace. On a busy
 * machine they take longer.
 */
const GROWING_MS_MAX = 90_000;
/** A process that reaches its memory limit in fewer calls needs much memory; in more calls, it leaks. */
const FAST_CALLS_MIN = 8;
const BYTES_PER_MIB = 1024 * 1024;
/** A leak is a failure, and not a warning, when a process grows by recycle.memory in so many calls. */
const SERIOUS_CALLS = 100_000;

/** Memory that a function leaks. */
export interface Leak {
  readonly function: string;
  readonly bytesPer1000Calls: number;
}

export interface LeakLimits {
  /** limits.memory of the plugin; 0: unlimited. */
  readonly memoryBytes: number;
  /** Memory at which a server replaces a process; 0: never. */
  readonly recycleBytes: number;
}

/**
 * Calls a function thousands of times, each time with another request, and measures the private memory of the
 * process in steps.
 * @returns the detail of a check that passed
 * @throws Finding when memory grows in every step to the end
 */
export async function checkLeak(
  target: Target,
  children: Children,
  limits: LeakLimits,
  found: (leak: Leak) => void,
): Promise<string> {
  return children.within(async (child) => {
    const run = new LeakRun(child, target);
    const leak = (bytesPer1000Calls: number): Finding => {
      found({ function: target.name, bytesPer1000Calls });
      return leakFinding(bytesPer1000Calls, limits);
    };
    try {
      await run.begin();
      const before = await run.holdings();
      const full = await run.warmUp(before, limits.memoryBytes);
      if (full !== null) throw leak(full);
      const steps = await run.steps();
      if (steps === null)
        throw new Finding('unavailable', 'this system does not tell the memory of a process');
      if (steps.length < STEPS_MIN)
        throw new Finding(
          'skipped',
          `not measured: ${run.made} calls took more than ${TIME_MS_MAX / 1000} s`,
        );
      const most = (before?.privateBytes ?? Infinity) + limits.memoryBytes * LIMIT_SHARE;
      const reached = limits.memoryBytes === 0 ? -1 : steps.findIndex((bytes) => bytes > most);
      if (reached !== -1)
        throw leak(((limits.memoryBytes * LIMIT_SHARE) / ((WARM_UP_STEPS + reached) * run.stepCalls)) * 1000);
      requireSame(before, await run.holdings());
      const growth = steadyGrowth(steps);
      if (growth === null) return 'the memory of the process does not keep growing';
      throw leak((growth / run.stepCalls) * 1000);
    } catch (thrown) {
      const reason = thrown instanceof FailedInput ? thrown.reason : thrown;
      if (reason instanceof Finding || toBackworksError(reason).code !== 'BW_PLUGIN_MEMORY') throw thrown;
      if (run.answered < FAST_CALLS_MIN) throw thrown;
      throw leak((limits.memoryBytes / run.answered) * 1000);
    }
  });
}

/** Threads and descriptors that a plugin keeps are few, and do not become more with its calls. */
function requireSame(before: ProcessHoldings | null, after: ProcessHoldings | null): void {
  if (before === null || after === null) return;
  const threads = after.threads - before.threads;
  if (threads > HELD_MORE_MAX)
    throw new Finding(
      'failed',
      `its calls leave threads behind: ${threads} more`,
      'end each thread that a call starts',
    );
  const descriptors = (after.descriptors ?? 0) - (before.descriptors ?? 0);
  if (descriptors > HELD_MORE_MAX) {
    const hint = 'close each file and socket that a call opens';
    throw new Finding('failed', `its calls leave files or sockets open: ${descriptors} more`, hint);
  }
}

function leakFinding(bytesPer1000Calls: number, { recycleBytes }: LeakLimits): Finding {
  const serious = recycleBytes > 0 && (bytesPer1000Calls / 1000) * SERIOUS_CALLS > recycleBytes;
  const detail = `it leaks about ${rounded(bytesPer1000Calls)} per 1,000 calls`;
  const hint =
    'free what each call allocates; strings that a hook returns are freed if the extension table has free_string';
  return new Finding(serious ? 'failed' : 'warning', detail, hint);
}

function rounded(bytes: number): string {
  if (bytes >= BYTES_PER_MIB) return `${Math.round(bytes / BYTES_PER_MIB)} MiB`;
  return `${Math.max(1, Math.round(bytes / 1024))} KiB`;
}

class LeakRun {
  made = 0;
  answered = 0;
  stepCalls = STEP_CALLS;
  private startedAtMs = Infinity;
  /** Calls are made until then. */
  private endAtMs = Infinity;

  constructor(
    private readonly child: Child,
    private readonly target: Target,
  ) {}

  /** The first calls. They show how fast the function is. */
  async begin(): Promise<void> {
    const startedAtMs = performance.now();
    await this.calls(FIRST_CALLS);
    const tookMs = performance.now() - startedAtMs;
    if (tookMs > FIRST_CALLS * SLOW_CALL_MS) this.stepCalls = SLOW_STEP_CALLS;
    this.startedAtMs = performance.now();
    this.endAtMs = this.startedAtMs + TIME_MS_MAX;
  }

  /** @returns the leak in bytes, when the process reaches its memory limit; otherwise null */
  async warmUp(before: ProcessHoldings | null, limitBytes: number): Promise<number | null> {
    const first = this.made;
    for (let part = 0; part < WARM_UP_STEPS * WARM_UP_PARTS; part++) {
      await this.calls(Math.ceil(this.stepCalls / WARM_UP_PARTS));
      const bytes = (await this.memory()) ?? 0;
      if (before === null || limitBytes === 0) continue;
      const grown = bytes - before.privateBytes;
      if (grown > limitBytes * LIMIT_SHARE) return (grown / (this.made - first)) * 1000;
    }
    return null;
  }

  /** Memory after each step; null when the system does not tell it. */
  async steps(): Promise<number[] | null> {
    const steps: number[] = [];
    for (;;) {
      const bytes = await this.memory();
      if (bytes === null) return null;
      steps.push(bytes);
      const isJudged = steps.length >= STEPS_MIN;
      const grows = isJudged && steadyGrowth(steps) !== null;
      if (grows) this.endAtMs = this.startedAtMs + GROWING_MS_MAX;
      if ((isJudged && !grows) || steps.length > STEPS_MAX || performance.now() > this.endAtMs) return steps;
      await this.calls(this.stepCalls);
    }
  }

  async calls(count: number): Promise<void> {
    const end = this.made + count;
    const caller = async (): Promise<void> => {
      while (this.made < end && performance.now() < this.endAtMs) {
        const input = this.target.ordinary[this.made % this.target.ordinary.length];
        this.made += 1;
        if (input === undefined) return;
        await askOne(this.child, input.numbered(this.made), createCaller());
        this.answered += 1;
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
  }

  private async memory(): Promise<number | null> {
    return (await this.holdings())?.privateBytes ?? null;
  }

  async holdings(): Promise<ProcessHoldings | null> {
    const serving = this.child.plugin.processes().find(({ state }) => state === 'ready');
    return serving === undefined ? null : processHoldings(serving.pid);
  }
}
