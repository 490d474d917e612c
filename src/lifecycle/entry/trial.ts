import type { SwapPolicy } from '../../config/types.js';
import type { LoadedPlugin } from '../../plugins/loaded-plugin.js';
import { type PluginEntry, resolvePolicy } from '../../plugins/plugin-entry.js';
import { verdict } from './probation.js';
import { since, type CallStats } from '../../plugins/call-stats.js';

/** How often the numbers are looked at, beside at every failure of a process. */
const JUDGE_MS = 100;

/** canary: the new version gets a share of the requests. probation: it gets all, and the former one stands by. */
export type TrialStage = 'canary' | 'probation';

export interface TrialParties {
  readonly serving: LoadedPlugin;
  /** canary: the new version. probation: the former one. */
  readonly other: LoadedPlugin;
  /** What `other` runs by. */
  readonly plan: PluginEntry;
}

/** How a trial ends, unless somebody stops it; one of the two is called, once. */
export interface TrialEvents {
  failed(trial: Trial, reason: string): void;
  passed(trial: Trial): void;
}

/** Two versions of one plugin side by side, until time or their numbers decide. */
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

  /** Which share of new requests gets `other`. */
  get percent(): number {
    return this.stage === 'canary' ? this.policy.canary.percent : 0;
  }

  /** Both run by another policy from now on. */
  adjust(serving: LoadedPlugin, plan: PluginEntry): void {
    const { other } = this.parties;
    this.parties = { serving, other: other.adjusted(resolvePolicy(plan.config, other.metadata)), plan };
  }

  /** Looks at the numbers; true when they have just ended the trial. */
  judge(): boolean {
    const former = this.former.callStats;
    // Side by side the same time counts for both; afterwards the former version's whole life does.
    const before = this.stage === 'canary' ? since(this.start.former, former) : former;
    const reason = verdict(this.policy.probation, since(this.start.fresh, this.fresh.callStats), before);
    return reason !== null && this.fail(reason);
  }

  /** The new version cannot go on; false when the trial was over before. */
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
