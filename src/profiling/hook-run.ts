import { Deferred } from '../deferred.js';
import { toBackworksError } from '../errors.js';
import { processUsage } from '../native/process/limits/process-usage.js';
import type { LoadedPlugin } from '../plugins/loaded-plugin.js';
import type { Caller } from '../plugins/plugin.js';
import { type CallTimes, CallTimesRecorder } from './call-times.js';
import { createCaller, type HookCall } from './documents.js';
import { memoryGrowth, type MemoryGrowth, type MemorySample } from './memory-growth.js';

export interface RunOptions {
  /** Of each of the two parts, in milliseconds. */
  readonly durationMs: number;
  /** Calls under way at the same time in the second part. */
  readonly concurrency: number;
  /** How long a server would wait for an answer, in milliseconds. */
  readonly deadlineMs: number;
  /** Memory the plugin's processes may have together; 0 for no limit. */
  readonly memoryLimitBytes: number;
  /** Ends the run early; what was measured by then counts. */
  readonly signal: AbortSignal;
}

export interface HookFailures {
  readonly calls: number;
  /** Of the first failure. */
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

/** What the calls of one hook cost. */
export interface HookRun {
  /** Of calls made one after the other. */
  readonly times: CallTimes | null;
  /** With `concurrency` calls under way; null when every one failed. */
  readonly load: LoadFigures | null;
  readonly growth: MemoryGrowth | null;
  /** All that were made. */
  readonly calls: number;
  /** Of these, how many the plugin answered with NULL. */
  readonly nullAnswers: number;
  /** Calls made one after the other whose answer a server would not have waited for. */
  readonly late: number;
  readonly failures: HookFailures | null;
  /** Calls at which a process ran out of the memory its limit allows. */
  readonly outOfMemory: number;
}

export interface LoadFigures {
  readonly callsPerSecond: number;
  /** CPU time a call takes in the server: guards, documents' way to the plugin and back. */
  readonly serverCpuUs: number;
  /** CPU time a call takes in the plugin's processes; null in-process, and where nobody can tell. */
  readonly pluginCpuUs: number | null;
}

const WARM_UP_CALLS = 200;
/** Of the duration of a part, at most. */
const WARM_UP_SHARE = 0.25;
/** For so many deadlines a call is waited for: how slow a plugin is shows only then. */
const PATIENCE = 10;
/** Answers of in-process plugins are at hand: after so many calls the event loop gets its turn. */
const TURN_CALLS = 64;
const US_PER_MS = 1000;
const MEMORY_SAMPLE_MS = 50;
/** For so long after its start a process is looked at more often: a fast leak reaches its limit in that time. */
const EARLY_MS = 100;
const EARLY_SAMPLE_MS = 5;
/** A hook of which this share of the calls fails says nothing about speed. */
const FAILING = 0.5;
/** So many calls show it, or fewer if they fail slowly. */
const FAILING_AFTER = 20;

/** What the processes that answer use together. */
interface PluginUsage {
  cpuMs: number;
  residentBytes: number;
  readonly pids: string;
  /** Age of the youngest. */
  readonly youngestMs: number;
}

/** Drives one hook: first one call at a time, then many side by side. */
export class HookDriver {
  private made = 0;
  private failed = 0;
  private failedMs = 0;
  private late = 0;
  private nullAnswers = 0;
  private outOfMemory = 0;
  private ended = false;
  /** The processes that were looked at last, and how often they were others. */
  private pids = '';
  private processes = 0;
  private first: Omit<HookFailures, 'calls'> | null = null;
  private plugin: LoadedPlugin;

  /** @param within the plugin, with a deadline in milliseconds */
  constructor(
    private readonly within: (callMs: number) => LoadedPlugin,
    private readonly calls: readonly HookCall[],
    private readonly options: RunOptions,
  ) {
    this.plugin = within(options.deadlineMs * PATIENCE);
  }

  async run(): Promise<HookRun> {
    const samples: MemorySample[] = [];
    await this.look(samples);
    const sampling = this.sample(samples);
    const caller = createCaller();
    const warmAtMs = performance.now() + this.options.durationMs * WARM_UP_SHARE;
    while (this.made < WARM_UP_CALLS && this.goesOn(warmAtMs)) await this.call(caller);
    const times = await this.oneAtATime(caller);
    const { deadlineMs, concurrency, memoryLimitBytes } = this.options;
    // A call that waits behind others of the run is not late.
    this.plugin = this.within(Math.max(deadlineMs, (times?.call.maxUs ?? 0) / US_PER_MS) * concurrency);
    const load = await this.sideBySide();
    this.ended = true;
    await sampling;
    const failures = this.first && { calls: this.failed, ...this.first };
    const { made: calls, nullAnswers, late, outOfMemory } = this;
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
    while (this.goesOn(endAtMs)) {
      const startedAtMs = performance.now();
      const answered = await this.call(caller);
      const tookMs = performance.now() - startedAtMs;
      if (answered) {
        recorder.record(tookMs, caller.call?.ownNs ?? 0);
        if (tookMs > this.options.deadlineMs) this.late += 1;
      }
      if (this.made % TURN_CALLS === 0) await new Promise(setImmediate);
    }
    return recorder.summary();
  }

  private async sideBySide(): Promise<LoadFigures | null> {
    const { durationMs, concurrency } = this.options;
    const before = { made: this.made, failed: this.failed, server: process.cpuUsage() };
    const pluginBefore = await this.pluginUsage();
    const startedAtMs = performance.now();
    const endAtMs = startedAtMs + durationMs;
    const worker = async (): Promise<void> => {
      const caller = createCaller();
      while (this.goesOn(endAtMs)) {
        await this.call(caller);
        if (this.made % TURN_CALLS === 0) await new Promise(setImmediate);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    const tookMs = performance.now() - startedAtMs;
    const { user, system } = process.cpuUsage(before.server);
    const pluginAfter = await this.pluginUsage();
    const calls = this.made - before.made;
    if (calls === this.failed - before.failed) return null;
    return {
      callsPerSecond: calls / (tookMs / 1000),
      serverCpuUs: (user + system) / calls,
      pluginCpuUs: pluginBefore && pluginAfter && ((pluginAfter.cpuMs - pluginBefore.cpuMs) * 1000) / calls,
    };
  }

  /** Never throws; true when the call was answered. */
  private async call(caller: Caller): Promise<boolean> {
    const call = this.calls[this.made % this.calls.length] as HookCall;
    const startedAtMs = performance.now();
    this.made += 1;
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
      // A plugin that is being started again, or left alone, would be asked a million times.
      await new Promise((resolve) => setTimeout(resolve, 1));
      return false;
    }
  }

  private goesOn(untilMs: number): boolean {
    if (this.options.signal.aborted || performance.now() >= untilMs) return false;
    if (this.failed < this.made * FAILING || this.made === 0) return true;
    return this.made < FAILING_AFTER && this.failedMs < this.options.durationMs;
  }

  /** Looks at the memory until the run has ended. */
  private async sample(samples: MemorySample[]): Promise<void> {
    while (!this.ended) {
      const early = samples.at(-1)?.early === true;
      await new Promise((resolve) => setTimeout(resolve, early ? EARLY_SAMPLE_MS : MEMORY_SAMPLE_MS));
      await this.look(samples);
    }
  }

  /** Looks at the memory once. */
  private async look(samples: MemorySample[]): Promise<void> {
    const calls = this.made;
    const usage = await this.pluginUsage();
    if (usage === null) return;
    if (usage.pids !== this.pids) this.processes += 1;
    this.pids = usage.pids;
    const { processes } = this;
    const early = usage.youngestMs < EARLY_MS;
    samples.push({ calls, residentBytes: usage.residentBytes, processes, early });
  }

  /** Of the processes that answer, together; null in-process, and where the system does not tell. */
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
