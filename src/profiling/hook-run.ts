import { Deferred } from '../deferred.js';
import { toBackworksError } from '../errors.js';
import { processUsage } from '../native/limits/process-usage.js';
import type { LoadedPlugin } from '../plugins/loaded-plugin.js';
import type { HookCall } from './documents.js';
import { LatencyRecorder, type LatencySummary } from './latency.js';
import { memoryGrowth, type MemoryGrowth, type MemorySample } from './memory-growth.js';

export interface RunOptions {
  /** Of each of the two parts, in milliseconds. */
  readonly durationMs: number;
  /** Calls under way at the same time in the second part. */
  readonly concurrency: number;
  /** Ends the run early; what was measured by then counts. */
  readonly signal: AbortSignal;
}

export interface HookFailures {
  readonly calls: number;
  /** Of the first failure. */
  readonly code: string;
  readonly message: string;
}

/** What the calls of one hook cost. */
export interface HookRun {
  /** Of calls made one after the other. */
  readonly latency: LatencySummary | null;
  /** With `concurrency` calls under way; null when every one failed. */
  readonly load: LoadFigures | null;
  readonly growth: MemoryGrowth | null;
  readonly failures: HookFailures | null;
}

export interface LoadFigures {
  readonly callsPerSecond: number;
  /** CPU time a call takes in the server: guards, documents' way to the plugin and back. */
  readonly serverCpuUs: number;
  /** CPU time a call takes in the plugin's processes; null in-process, and where nobody can tell. */
  readonly pluginCpuUs: number | null;
}

const WARM_UP_CALLS = 200;
const MEMORY_SAMPLE_MS = 50;
/** A hook of which this share of the calls fails says nothing about speed. */
const FAILING = 0.5;
const FAILING_AFTER = 20;

/** Drives one hook: first one call at a time, then many side by side. */
export class HookDriver {
  private made = 0;
  private failed = 0;
  private first: { code: string; message: string } | null = null;

  constructor(
    private readonly plugin: LoadedPlugin,
    private readonly calls: readonly HookCall[],
    private readonly options: RunOptions,
  ) {}

  async run(): Promise<HookRun> {
    for (let i = 0; i < WARM_UP_CALLS && this.goesOn(Infinity); i += 1) await this.call();
    const latency = await this.oneAtATime();
    const samples: MemorySample[] = [];
    const load = await this.sideBySide(samples);
    const failures = this.first && { calls: this.failed, ...this.first };
    return { latency, load, growth: memoryGrowth(samples), failures };
  }

  private async oneAtATime(): Promise<LatencySummary | null> {
    const recorder = new LatencyRecorder();
    const endAtMs = performance.now() + this.options.durationMs;
    while (this.goesOn(endAtMs)) {
      const startedAtMs = performance.now();
      if (await this.call()) recorder.record(performance.now() - startedAtMs);
    }
    return recorder.summary();
  }

  private async sideBySide(samples: MemorySample[]): Promise<LoadFigures | null> {
    const { durationMs, concurrency } = this.options;
    const before = { made: this.made, failed: this.failed, server: process.cpuUsage() };
    const pluginBefore = await this.pluginUsage();
    const startedAtMs = performance.now();
    const endAtMs = startedAtMs + durationMs;
    const sampling = this.sample(samples, endAtMs);
    const worker = async (): Promise<void> => {
      while (this.goesOn(endAtMs)) await this.call();
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    const tookMs = performance.now() - startedAtMs;
    const { user, system } = process.cpuUsage(before.server);
    await sampling;
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
  private async call(): Promise<boolean> {
    const call = this.calls[this.made % this.calls.length] as HookCall;
    this.made += 1;
    try {
      // A promise even when the answer is at hand: the event loop is everybody's.
      const answer = call(this.plugin);
      if (answer instanceof Promise || answer instanceof Deferred) await answer;
      else if (this.made % this.options.concurrency === 0) await new Promise(setImmediate);
      return true;
    } catch (thrown) {
      this.failed += 1;
      const { code, message } = toBackworksError(thrown);
      this.first ??= { code, message };
      // A plugin that is being started again, or left alone, would be asked a million times.
      await new Promise((resolve) => setTimeout(resolve, 1));
      return false;
    }
  }

  private goesOn(untilMs: number): boolean {
    if (this.options.signal.aborted || performance.now() >= untilMs) return false;
    return this.made < FAILING_AFTER || this.failed < this.made * FAILING;
  }

  private async sample(samples: MemorySample[], untilMs: number): Promise<void> {
    while (this.goesOn(untilMs)) {
      const usage = await this.pluginUsage();
      if (usage !== null) samples.push({ calls: this.made, residentBytes: usage.residentBytes });
      await new Promise((resolve) => setTimeout(resolve, MEMORY_SAMPLE_MS));
    }
  }

  /** Of the processes that answer, together; null in-process, and where the system does not tell. */
  private async pluginUsage(): Promise<{ cpuMs: number; residentBytes: number } | null> {
    const serving = this.plugin.processes().filter(({ state }) => state === 'ready');
    const usages = await Promise.all(serving.map(({ pid }) => processUsage(pid)));
    const total = { cpuMs: 0, residentBytes: 0 };
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
