import type { ProxyConfig } from '../config/proxy-types.js';
import { BackworksError } from '../errors.js';
import { RetryBudget } from './retry-budget.js';
import type { Target } from './target.js';

/** A target with its share of an endpoint's requests. */
interface Member {
  readonly target: Target;
  readonly weight: number;
  /** For round robin: how far the target is behind its share. */
  owed: number;
}

/** The targets of one endpoint. */
export class TargetGroup {
  readonly budget: RetryBudget;
  /** Requests that were sent to a further target. */
  retries = 0;
  private readonly only: Target | null;
  private readonly members: readonly Member[];
  private readonly choose: (members: readonly Member[]) => Member;
  /** The place after the target chosen last, where the search for the next one begins. */
  private next = 0;

  /** @param targets in the order of `config.targets` */
  constructor(
    readonly endpoint: string,
    readonly config: ProxyConfig,
    readonly targets: readonly Target[],
  ) {
    this.members = targets.map((target, index) => ({
      target,
      weight: config.targets[index]!.weight,
      owed: 0,
    }));
    this.only = targets.length === 1 ? targets[0]! : null;
    this.budget = new RetryBudget(config.retry.budgetPercent);
    this.choose = config.balance === 'least_connections' ? (some) => this.leastBusy(some) : inTurn;
  }

  /**
   * The target for a request. When circuit breakers have taken out every target, one of them is tried nevertheless:
   * they may have recovered, and refusing would help nobody.
   * @throws BackworksError BW_PROXY_UNAVAILABLE when every target is down
   */
  first(): Target {
    const { only } = this;
    if (only !== null && only.health.state !== 'down') return only;
    const chosen = this.pick(this.members);
    if (chosen === null) throw this.unavailable();
    return chosen;
  }

  /** A target that a request was not sent to; null when there is none that is not down. */
  another(tried: readonly Target[]): Target | null {
    return this.pick(this.members.filter(({ target }) => !tried.includes(target)));
  }

  private pick(members: readonly Member[]): Target | null {
    const available = members.filter(({ target }) => target.health.isAvailable);
    if (available.length > 0) return this.choose(available).target;
    const notDown = members.filter(({ target }) => target.health.state !== 'down');
    return notDown.length === 0 ? null : this.choose(notDown).target;
  }

  /** How messages for clients call a target. They do not show its address. */
  nameOf(target: Target): string {
    if (this.targets.length === 1) return `the target of endpoint ${this.endpoint}`;
    return `target ${this.targets.indexOf(target) + 1} of endpoint ${this.endpoint}`;
  }

  private unavailable(): BackworksError {
    const reasons = this.targets.map(
      (target) => `${this.nameOf(target)} is down: ${target.health.reason ?? 'unknown'}`,
    );
    const retryAfterMs = this.config.health?.intervalMs;
    return new BackworksError('BW_PROXY_UNAVAILABLE', reasons.join('; '), { retryAfterMs });
  }

  private leastBusy(some: readonly Member[]): Member {
    this.next += 1;
    let best = some[this.next % some.length]!;
    for (const member of some) if (load(member) < load(best)) best = member;
    return best;
  }
}

function load({ target, weight }: Member): number {
  return target.inFlight / weight;
}

/** Weighted round robin that spreads the requests of a heavy target: a, b, a instead of a, a, b. */
function inTurn(some: readonly Member[]): Member {
  let best = some[0]!;
  let total = 0;
  for (const member of some) {
    member.owed += member.weight;
    total += member.weight;
    if (member.owed > best.owed) best = member;
  }
  best.owed -= total;
  return best;
}
