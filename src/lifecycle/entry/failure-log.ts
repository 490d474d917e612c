import type { PluginPolicy } from '../../config/types.js';
import type { ErrorCode, PluginFailure, PluginPhase } from '../../errors.js';
import { postMortem } from './post-mortem.js';
import type { LimitsInForce, PostMortem } from './status.js';

const POST_MORTEMS_MAX = 5;
const STARTING: readonly PluginPhase[] = ['sandbox', 'load', 'initialize'];
/** Failures that say nothing about the library: the system or this installation is at fault. */
const NOT_THE_LIBRARYS: readonly ErrorCode[] = [
  'BW_RUNNER_START',
  'BW_RUNNER_VERSION',
  'BW_RUNNER_NOT_FOUND',
  'BW_PLUGIN_SANDBOX',
  'BW_INTERNAL',
];

interface KeptFailure {
  readonly time: Date;
  failure: PluginFailure;
  readonly limits: LimitsInForce;
}

/** The newest failures of one plugin, and how many there were lately. */
export class FailureLog {
  /** Newest first. */
  private failures: KeptFailure[] = [];
  /** The newest answer the server could not use. It is kept apart so that a flood of them hides no crash. */
  private badAnswer: KeptFailure | null = null;
  /** Times of the failures that count towards quarantine, in `performance.now()` milliseconds. */
  private countedMs: number[] = [];

  /** @param limits those in force when the process failed */
  keep(failure: PluginFailure, limits: LimitsInForce): void {
    this.failures = [{ time: new Date(), failure, limits }, ...this.failures].slice(0, POST_MORTEMS_MAX);
  }

  /** Keeps a failure of a process that goes on. */
  keepBadAnswer(failure: PluginFailure, limits: LimitsInForce): void {
    this.badAnswer = { time: new Date(), failure, limits };
  }

  /** Replaces a kept failure by the same one with more detail. */
  detail(failure: PluginFailure, detailed: PluginFailure): void {
    const kept = this.failures.find((entry) => entry.failure === failure);
    if (kept !== undefined) kept.failure = detailed;
  }

  /** Counts a failure towards quarantine. @returns whether there were as many as the policy allows */
  count({ code }: PluginFailure, { failures, windowMs }: PluginPolicy['quarantine']): boolean {
    if (NOT_THE_LIBRARYS.includes(code) || failures === 0) return false;
    const nowMs = performance.now();
    this.countedMs = [...this.countedMs.filter((timeMs) => nowMs - timeMs < windowMs), nowMs];
    return this.countedMs.length >= failures;
  }

  /** Failures so far no longer count towards quarantine. */
  forgive(): void {
    this.countedMs = [];
  }

  /** The newest failure of a process; null when there was none. */
  newest(): PostMortem | null {
    const [newest] = this.failures;
    return newest === undefined ? null : describe(newest);
  }

  /** Whether the newest failure happened before initialize() had returned. */
  get newestFailedToStart(): boolean {
    const phase = this.failures[0]?.failure.phase;
    return phase !== undefined && STARTING.includes(phase);
  }

  /** Newest first. */
  list(): PostMortem[] {
    return [...this.failures, ...(this.badAnswer === null ? [] : [this.badAnswer])]
      .sort((a, b) => b.time.getTime() - a.time.getTime())
      .map(describe);
  }
}

function describe({ failure, time, limits }: KeptFailure): PostMortem {
  return postMortem(failure, time, limits);
}
