import type { FailedChange } from '../lifecycle/registry/registry-change.js';
import type { PluginAction } from '../lifecycle/registry/reload.js';
import type { ReloadPlan } from '../reload/prepared-reload.js';
import { receivedError } from './rpc-channel.js';
import type { SentFailedChange } from './worker-procedures.js';

/** Actions by how much they do. When workers plan different actions, the plan shows the largest. */
const ACTION_ORDER: Readonly<Record<PluginAction, number>> = {
  keep: 0,
  adjust: 1,
  reconfigure: 2,
  postpone: 3,
  needs_restart: 4,
  unload: 5,
  load: 6,
  swap: 7,
};

/** Merges the plans of all workers into one. */
export function mergePlans(plans: readonly [ReloadPlan, ...ReloadPlan[]]): ReloadPlan {
  const [first, ...others] = plans;
  const plugins = new Map(first.plugins.map((change) => [change.name, change]));
  for (const change of others.flatMap((plan) => plan.plugins)) {
    const known = plugins.get(change.name);
    if (known === undefined || ACTION_ORDER[change.action] > ACTION_ORDER[known.action])
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

/** Plugins whose change failed in any worker. `previousServes` is true only if it is true in all of these workers. */
export function mergeFailed(lists: readonly (readonly SentFailedChange[])[]): FailedChange[] {
  const failed = new Map<string, FailedChange>();
  for (const { name, error, previousServes } of lists.flat()) {
    const known = failed.get(name);
    if (known === undefined) failed.set(name, { name, error: receivedError(error), previousServes });
    else failed.set(name, { ...known, previousServes: known.previousServes && previousServes });
  }
  return [...failed.values()];
}
