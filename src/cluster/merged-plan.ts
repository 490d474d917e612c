import type { FailedChange } from '../lifecycle/registry/registry-change.js';
import type { PluginAction } from '../lifecycle/registry/reload.js';
import type { ReloadPlan } from '../reload/prepared-reload.js';
import { receivedError } from './rpc-channel.js';
import type { SentFailedChange } from './worker-procedures.js';

/** From the least to the most: what is told of several workers is what most is done about. */
const WEIGHTS: Readonly<Record<PluginAction, number>> = {
  keep: 0,
  adjust: 1,
  reconfigure: 2,
  postpone: 3,
  needs_restart: 4,
  unload: 5,
  load: 6,
  swap: 7,
};

/** What several workers would do, as one plan. */
export function mergePlans(plans: readonly [ReloadPlan, ...ReloadPlan[]]): ReloadPlan {
  const [first, ...others] = plans;
  const plugins = new Map(first.plugins.map((change) => [change.name, change]));
  for (const change of others.flatMap((plan) => plan.plugins)) {
    const known = plugins.get(change.name);
    if (known === undefined || WEIGHTS[change.action] > WEIGHTS[known.action])
      plugins.set(change.name, change);
  }
  const needsRestart = [...new Set(plans.flatMap((plan) => plan.needsRestart))];
  return {
    ...first,
    plugins: [...plugins.values()],
    reordered: plans.some((plan) => plan.reordered),
    needsRestart,
  };
}

/** What failed in any worker; `keptFormer` when it goes on in all of them. */
export function mergeFailed(lists: readonly (readonly SentFailedChange[])[]): FailedChange[] {
  const failed = new Map<string, FailedChange>();
  for (const { name, error, keptFormer } of lists.flat()) {
    const known = failed.get(name);
    if (known === undefined) failed.set(name, { name, error: receivedError(error), keptFormer });
    else failed.set(name, { ...known, keptFormer: known.keptFormer && keptFormer });
  }
  return [...failed.values()];
}
