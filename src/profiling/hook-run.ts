import { Deferred } from '../deferred.js';
import { toBackworksError } from '../errors.js';
import { processUsage } from '../native/process/limits/process-usage.js';
import type { LoadedPlugin } from '../plugins/loaded-plugin.js';
import type { Caller } from '../plugins/plugin.js';
import { type CallTimes, CallTimesRecorder } from './call-times.js';
import { createCaller, type HookCall } from './documents.js';
import { memoryGrowth, type MemoryGrowth, type MemorySample } from './memory-growth.js';

export interface RunOptions {
  /** Duration of each of the two phases, in milliseconds. */
  readonly durationMs: number;
  /** Calls in flight in the second phase. */
  readonly concurrency: number;
  /** How long a server would wait for an answer, in milliseconds. */
  readonly deadlineMs: number;
  /** Memory limit of all plugin processes together; 0 for no limit. */
  readonly memoryLimitBytes: number;
  /** Ends the run early. Results measured by then are kept. */
  readonly signal: AbortSignal;
}

export interface HookFailures {
  readonly calls: number;
  /** Code of the first failure. */
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

/** Measurements of one hook. */
export interface HookRun {
  /** Times of the calls made one after the other; null when every call failed. */
  readonly times: CallTimes | null;
  /** Figures with `concurrency` calls in flight; null when every call failed. */
  readonly load: LoadFigures | null;
  readonly growth: MemoryGrowth | null;
  /** All calls of the run. */
  readonly calls: number;
  /** Calls that the plugin answered with NULL. */
  readonly nullAnswers: number;
  /** Calls of the first phase that were answered after the deadline. */
  readonly late: number;
  readonly failures: HookFailures | null;
  /** Calls during which a process reached its memory limit. */
  readonly outOfMemory: number;
}

export interface LoadFigures {
  readonly callsPerSecond: number;
  /** CPU time of a call in the server: guards, and the transfer of documents to the plugin and back. */
  readonly serverCpuUs: number;
  /** CPU time of a call in the plugin's processes; null in-process and where the system does not report it. */
  readonly pluginCpuUs: number | null;
}

const WARM_UP_CALLS = 200;
/** Longest warm-up, as a share of a phase. */
const WARM_UP_SHARE = 0.25;
/** A call may take this many deadlines, so that the profile shows how slow the plugin really is. */
const DEADLINES_WAITED = 10;
/** Calls of in-process plugins complete synchronously, so the event loop runs only after this many calls. */
const CALLS_PER_TURN = 64;
const US_PER_MS = 1000;
const MEMORY_SAMPLE_MS = 50;
/** The memory of a young process is sampled more often, because a fast leak reaches its limit in this time. */
const EARLY_MS = 100;
const EARLY_SAMPLE_MS = 5;
/** The run ends when this share of the calls fails: the speed of a failing hook means nothing. */
const FAILING_SHARE = 0.5;
/** Calls before a hook counts as failing; fewer when they fail slowly. */
const FAILING_CALLS_MIN = 20;

/** The sum over all serving processes. */
interface PluginUsage {
  cpuMs: number;
  residentBytes: number;
  readonly pids: string;
  /** Age of the youngest process. */
  readonly youngestMs: number;
}

/** Drives one hook in two phases: first one call at a time, then many calls concurrently. */
export class HookDriver {
  private callCount = 0;
  private failed = 0;
  private failedMs = 0;
  private late = 0;
  private nullAnswers = 0;
  private outOfMemory = 0;
  private ended = false;
  /** The process ids at the last sample, and how often they have changed. */
  private pids = '';
  private processes = 0;
  private first: Omit<HookFailures, 'calls'> | null = null;
  private plugin: LoadedPlugin;

  /** @param within returns the plugin with the given deadline in milliseconds */
  constructor(
    private readonly within: (callMs: number) => LoadedPlugin,
    private readonly calls: readonly HookCall[],
    private readonly options: RunOptions,
  ) {
    this.plugin = within(options.deadlineMs * DEADLINES_WAITED);
  }

  async run(): Promise<HookRun> {
    const samples: MemorySample[] = [];
    await this.takeSample(samples);
    const sampling = this.sampleUntilEnd(samples);
    const caller = createCaller();
    const warmAtMs = performance.now() + this.options.durationMs * WARM_UP_SHARE;
    while (this.callCount < WARM_UP_CALLS && this.mayContinue(warmAtMs)) await this.call(caller);
    const times = await this.oneAtATime(caller);
    const { deadlineMs, concurrency, memoryLimitBytes } = this.options;
    // The deadline is longer here, because a call may wait for other calls of the run.
    this.plugin = this.within(Math.max(deadlineMs, (times?.call.maxUs ?? 0) / US_PER_MS) * concurrency);
    const load = await this.concurrently();
    this.ended = true;
    await sampling;
    const failures = this.first && { calls: this.failed, ...this.first };
    const { callCount: calls, nullAnswers, late, outOfMemory } = this;
    const limit = { bytes: memoryLimitBytes, reached: outOfMemory, answered: calls - this.failed };
    const growth = memoryGrowth(samples, limit);
    return {
      times,
      load,
      growth,
      calls,
      nullAnswers,
      late,
      failures,
      outOfMemory,
    };
  }

  private async oneAtATime(caller: Caller): Promise<CallTimes | null> {
    const recorder = new CallTimesRecorder();
    const endAtMs = performance.now() + this.options.durationMs;
    while (this.mayContinue(endAtMs)) {
      const startedAtMs = performance.now();
      const answered = await this.call(caller);
      const tookMs = performance.now() - startedAtMs;
      if (answered) {
        recorder.record(tookMs, caller.call?.ownNs ?? 0);
        if (tookMs > this.options.deadlineMs) this.late += 1;
      }
      if (this.callCount % CALLS_PER_TURN === 0) await new Promise(setImmediate);
    }
    return recorder.summary();
  }

  private async concurrently(): Promise<LoadFigures | null> {
    const { durationMs, concurrency } = this.options;
    const before = { made: this.callCount, failed: this.failed, server: process.cpuUsage() };
    const pluginBefore = await this.pluginUsage();
    const startedAtMs = performance.now();
    const endAtMs = startedAtMs + durationMs;
    const worker = async (): Promise<void> => {
      const caller = createCaller();
      while (this.mayContinue(endAtMs)) {
        await this.call(caller);
        if (this.callCount % CALLS_PER_TURN === 0) await new Promise(setImmediate);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    const tookMs = performance.now() - startedAtMs;
    const { user, system } = process.cpuUsage(before.server);
    const pluginAfter = await this.pluginUsage();
    const calls = this.callCount - before.made;
    if (calls === this.failed - before.failed) return null;
    return {
      callsPerSecond: calls / (tookMs / 1000),
      serverCpuUs: (user + system) / calls,
      pluginCpuUs: pluginBefore && pluginAfter && ((pluginAfter.cpuMs - pluginBefore.cpuMs) * 1000) / calls,
    };
  }

  /** Returns true if the plugin answered. Never throws. */
  private async call(caller: Caller): Promise<boolean> {
    const call = this.calls[this.callCount % this.calls.length] as HookCall;
    const startedAtMs = performance.now();
    this.callCount += 1;
    try {
      const answer = call(this.plugin, caller);
      const reply: unknown = answer instanceof Promise || answer instanceof Deferred ? await answer : answer;
      if (reply === null) this.nullAnswers += 1;
      return true;
    } catch (thrown) {
      this.failed += 1;
      this.failedMs += performance.now() - startedAtMs;
      const { code, message, hint = null } = toBackworksError(thrown);
      if (code === 'BW_PLUGIN_MEMORY') this.outOfMemory += 1;
      this.first ??= { code, message, hint };
      // Without this pause, a plugin that is restarting would be called a million times.
      await new Promise((resolve) => setTimeout(resolve, 1));
      return false;
    }
  }

  private mayContinue(untilMs: number): boolean {
    if (this.options.signal.aborted || performance.now() >= untilMs) return false;
    if (this.failed < this.callCount * FAILING_SHARE || this.callCount === 0) return true;
    return this.callCount < FAILING_CALLS_MIN && this.failedMs < this.options.durationMs;
  }

  /** Samples the memory until the run ends. */
  private async sampleUntilEnd(samples: MemorySample[]): Promise<void> {
    while (!this.ended) {
      const early = samples.at(-1)?.early === true;
      await new Promise((resolve) => setTimeout(resolve, early ? EARLY_SAMPLE_MS : MEMORY_SAMPLE_MS));
      await this.takeSample(samples);
    }
  }

  /** Takes one sample. */
  private async takeSample(samples: MemorySample[]): Promise<void> {
    const calls = this.callCount;
    const usage = await this.pluginUsage();
    if (usage === null) return;
    if (usage.pids !== this.pids) this.processes += 1;
    this.pids = usage.pids;
    const { processes } = this;
    const early = usage.youngestMs < EARLY_MS;
    samples.push({ calls, residentBytes: usage.residentBytes, processes, early });
  }

  /** Sums the usage of the serving processes; null in-process and where the system does not report it. */
  private async pluginUsage(): Promise<PluginUsage | null> {
    const serving = this.plugin.processes().filter(({ state }) => state === 'ready');
    const usages = await Promise.all(serving.map(({ pid }) => processUsage(pid)));
    const started = Math.max(...serving.map(({ startedAt }) => startedAt.getTime()));
    const pids = serving.map(({ pid }) => pid).join(' ');
    const total = { cpuMs: 0, residentBytes: 0, pids, youngestMs: Date.now() - started };
    let known = false;
    for (const { cpuMs, residentBytes } of usages) {
      if (cpuMs === null || residentBytes === null) continue;
      known = true;
      total.cpuMs += cpuMs;
      total.residentBytes += residentBytes;
    }
    return known ? total : null;
  }
}
