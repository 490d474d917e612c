import type { PluginPolicy } from '../../config/types.js';
import type { ErrorCode, PluginFailure, PluginPhase } from '../../errors.js';
import { postMortem } from './post-mortem.js';
import type { LimitsInForce, PostMortem } from './status.js';

const POST_MORTEMS_MAX = 5;
const STARTING: readonly PluginPhase[] = ['sandbox', 'load', 'initialize'];
/** Failures caused by the system or the installation, not by the library. They do not count towards quarantine. */
const NOT_COUNTED: readonly ErrorCode[] = [
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

/** The newest failures of one plugin, and the number of recent ones. */
export class FailureLog {
  /** Newest first. */
  private failures: KeptFailure[] = [];
  /** The newest unusable answer. It is kept separately, so that many bad answers do not push a crash out. */
  private badAnswer: KeptFailure | null = null;
  /** Times of the failures that count towards quarantine, in `performance.now()` milliseconds. */
  private countedMs: number[] = [];

  /** @param limits the limits at the time of the failure */
  keep(failure: PluginFailure, limits: LimitsInForce): void {
    this.failures = [{ time: new Date(), failure, limits }, ...this.failures].slice(0, POST_MORTEMS_MAX);
  }

  /** Keeps a failure after which the process keeps running. */
  keepBadAnswer(failure: PluginFailure, limits: LimitsInForce): void {
    this.badAnswer = { time: new Date(), failure, limits };
  }

  /** Replaces a kept failure by a more detailed description of the same failure. */
  detail(failure: PluginFailure, detailed: PluginFailure): void {
    const kept = this.failures.find((entry) => entry.failure === failure);
    if (kept !== undefined) kept.failure = detailed;
  }

  /** Counts a failure towards quarantine. @returns true when the policy's limit is reached */
  count({ code }: PluginFailure, { failures, windowMs }: PluginPolicy['quarantine']): boolean {
    if (NOT_COUNTED.includes(code) || failures === 0) return false;
    const nowMs = performance.now();
    this.countedMs = [...this.countedMs.filter((timeMs) => nowMs - timeMs < windowMs), nowMs];
    return this.countedMs.length >= failures;
  }

  /** Resets the count towards quarantine. */
  resetCount(): void {
    this.countedMs = [];
  }

  /** @returns brings the present failures and counts back */
  checkpoint(): () => void {
    const { failures, badAnswer, countedMs } = this;
    return () => Object.assign(this, { failures, badAnswer, countedMs });
  }

  /** The newest failure of a process, or null. */
  newest(): PostMortem | null {
    const [newest] = this.failures;
    return newest === undefined ? null : describe(newest);
  }

  /** Whether the newest failure happened before initialize() returned. */
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
