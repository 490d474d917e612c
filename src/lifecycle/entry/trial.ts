import type { SwapPolicy } from '../../config/types.js';
import type { LoadedPlugin } from '../../plugins/loaded-plugin.js';
import { type PluginEntry, resolvePolicy } from '../../plugins/plugin-entry.js';
import { verdict } from './probation.js';
import { since, type CallStats } from '../../plugins/call-stats.js';

/** Interval between judgements. A process failure causes an additional one. */
const JUDGE_MS = 100;

/** canary: the new version gets a share of requests. probation: it gets all requests, the former one is on standby. */
export type TrialStage = 'canary' | 'probation';

export interface TrialParties {
  readonly serving: LoadedPlugin;
  /** canary: the new version. probation: the former one. */
  readonly other: LoadedPlugin;
  /** The plan of `other`. */
  readonly plan: PluginEntry;
}

/** Called when a trial ends: exactly one of the two, once, unless the trial is stopped. */
export interface TrialEvents {
  failed(trial: Trial, reason: string): void;
  passed(trial: Trial): void;
}

/** Runs two versions of one plugin side by side until the time is over or the new version does badly. */
export class Trial {
  readonly until: Date;
  private readonly timers: NodeJS.Timeout[];
  private readonly start: { readonly fresh: CallStats; readonly former: CallStats };
  private over = false;

  constructor(
    readonly stage: TrialStage,
    private readonly policy: SwapPolicy,
    private parties: TrialParties,
    private readonly events: TrialEvents,
  ) {
    const { durationMs } = policy[stage];
    this.until = new Date(Date.now() + durationMs);
    this.start = { fresh: this.fresh.callStats, former: this.former.callStats };
    this.timers = [setTimeout(() => this.pass(), durationMs), setInterval(() => this.judge(), JUDGE_MS)];
    for (const timer of this.timers) timer.unref();
  }

  get other(): LoadedPlugin {
    return this.parties.other;
  }

  get plan(): PluginEntry {
    return this.parties.plan;
  }

  /** Percentage of new requests that `other` gets. */
  get percent(): number {
    return this.stage === 'canary' ? this.policy.canary.percent : 0;
  }

  /** Applies a new policy to both versions. */
  adjust(serving: LoadedPlugin, plan: PluginEntry): void {
    const { other } = this.parties;
    this.parties = { serving, other: other.adjusted(resolvePolicy(plan.config, other.metadata)), plan };
  }

  /** Compares the two versions. @returns true if this ended the trial */
  judge(): boolean {
    const former = this.former.callStats;
    // In a canary both versions are measured over the same time, in a probation the former one over its whole life.
    const before = this.stage === 'canary' ? since(this.start.former, former) : former;
    const reason = verdict(this.policy.probation, since(this.start.fresh, this.fresh.callStats), before);
    return reason !== null && this.fail(reason);
  }

  /** Fails the new version. @returns false if the trial was already over */
  fail(reason: string): boolean {
    if (this.over) return false;
    this.stop();
    this.events.failed(this, reason);
    return true;
  }

  stop(): void {
    this.over = true;
    for (const timer of this.timers) clearTimeout(timer);
  }

  private pass(): void {
    if (this.judge() || this.over) return;
    this.stop();
    this.events.passed(this);
  }

  private get fresh(): LoadedPlugin {
    return this.stage === 'canary' ? this.parties.other : this.parties.serving;
  }

  private get former(): LoadedPlugin {
    return this.stage === 'canary' ? this.parties.serving : this.parties.other;
  }
}
